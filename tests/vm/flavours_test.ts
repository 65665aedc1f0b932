/**
 * Debian's kernels as their packages have them, by path: each boots, whatever of what the lab needs is
 * built in, a module, or a module behind a soft dependency.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ownArch } from "../../lab/arch.ts";
import { type Flavour, unpackKernel } from "../../lab/kernel/kernel.ts";
import { runLab, testProgress } from "./support.ts";

const VERSIONS = ["6.1", "6.12", "latest"];
const FLAVOURS: readonly Flavour[] = ["normal", "cloud"];

for (const version of VERSIONS) {
  for (const flavour of FLAVOURS) {
    Deno.test(`Debian's ${flavour} flavour of Linux ${version} boots by path`, async () => {
      const folder = await Deno.makeTempDir({ prefix: "vsock-kernel-" });
      try {
        const { vmlinuz, modules } = await unpackKernel(
          folder,
          ownArch(),
          version,
          flavour,
          testProgress(),
        );
        const { code, stdout, stderr } = await runLab([
          ...["lab", "--topology", "loopback", "--cold", "--kernel", vmlinuz, "--modules", modules],
          "stream/close",
        ]);
        assert.equal(code, 0, stdout + stderr);
        assert.match(stdout, /\n2 passed, 0 failed/);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    });
  }
}
