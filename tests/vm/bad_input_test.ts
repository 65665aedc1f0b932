/**
 * What can be wrong with a kernel, a download or a disk: each is said, with what to do.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Archive } from "../../lab/host/apt.ts";
import { ownArch } from "../../lab/arch.ts";
import { findKernel } from "../../lab/kernel/kernel.ts";
import { runTool } from "../support/tool.ts";
import { testProgress } from "./support.ts";

const PATIENCE = 300_000;

Deno.test("kernels that lack something are told apart from kernels that fail", async (t) => {
  const kernel = await findKernel({ kernel: "debian:latest" }, ownArch(), testProgress());
  const folder = await Deno.makeTempDir();
  try {
    for (const { name, data } of kernel.modules.filter(({ name }) => !name.includes("vsock"))) {
      await Deno.writeFile(`${folder}/${name}.ko`, data);
    }
    const lab = (...args: string[]) =>
      runTool(["lab", "--topology", "loopback", "--kernel", kernel.vmlinuz, ...args], {
        patience: PATIENCE,
      });
    await t.step("no AF_VSOCK", async () => {
      const { code, stderr } = await lab("--modules", folder);
      assert.match(stderr, /has no AF_VSOCK \(.*EAFNOSUPPORT.*\); load the module with 'modprobe/);
      assert.equal(code, 69);
    });
    await t.step("no disk", async () => {
      const { code, stderr } = await lab();
      assert.match(stderr, /a VM found no disk; its kernel needs virtio-pci, virtio-blk/);
      assert.equal(code, 69);
    });
    await t.step("no such folder of modules", async () => {
      const { code, stderr } = await lab("--modules", `${folder}/nowhere`);
      assert.match(stderr, /There is no folder of modules at /);
      assert.equal(code, 69);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a download that is not what the signed lists promise is refused", async () => {
  const archive = await Archive.open(ownArch().debian, "current", testProgress());
  const [item] = await archive.find(/^linux-base$/);
  assert.ok(item, "linux-base is in every release");
  const folder = await Deno.makeTempDir();
  try {
    const damaged = archive.unpack([{ ...item, sha256: "0".repeat(64) }], folder, () => {});
    await assert.rejects(damaged, /The download of linux-base is corrupt; try again/);
    await archive.unpack([item], folder, () => {});
    assert.ok((await Deno.stat(`${folder}/usr`)).isDirectory);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a kernel that Debian does not have is named, with those that it has", async () => {
  const { code, stderr } = await runTool(["lab", "--kernel", "debian:2.4"], { patience: PATIENCE });
  assert.match(stderr, /Debian's archive has no kernel 2\.4; it has: .*6\.12/);
  assert.equal(code, 69);
});

Deno.test("a cache that cannot be written is said before anything is fetched", async () => {
  const args = ["lab", "--kernel", "debian:6.1"];
  const env = { VSOCK_CONFORMANCE_CACHE: "/proc/nowhere" };
  const { code, stderr } = await runTool(args, { patience: PATIENCE, env });
  assert.match(stderr, /Cannot use the cache folder .*; set VSOCK_CONFORMANCE_CACHE/);
  assert.equal(code, 69);
});
