import assert from "node:assert/strict";
import { LabError } from "../error.ts";
import { hasSafeThreads, qemuAt } from "./qemu.ts";

for (
  const [program, reason] of [
    ["/nowhere/qemu-system-x86_64", /^There is no QEMU at \/nowhere\/qemu-system-x86_64: /],
    [
      "/bin/true",
      /^\/bin\/true is not a QEMU binary: give a qemu-system-x86_64 or -aarch64$/,
    ],
    ["/etc/passwd", /^\/etc\/passwd is not a QEMU binary/],
  ] as const
) {
  Deno.test(`qemuAt() refuses ${program} as a QEMU`, async () => {
    await assert.rejects(qemuAt(program), (error: unknown) => {
      assert.ok(error instanceof LabError);
      assert.match(error.message, reason);
      return true;
    });
  });
}

Deno.test("qemuAt() tells one QEMU from another", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  const says = async (text: string) => {
    await Deno.writeTextFile(`${folder}/qemu`, `#!/bin/sh\necho "${text}"\n`, { mode: 0o755 });
    return await qemuAt(`${folder}/qemu`);
  };
  try {
    const old = await says("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)");
    assert.deepEqual(old.version, [7, 2]);
    const newer = await says("QEMU emulator version 10.0.2");
    assert.deepEqual(newer.version, [10, 0]);
    assert.notEqual(newer.identity, old.identity);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("hasSafeThreads() is for QEMU 8.1 and newer", () => {
  const safe = ([[7, 2], [8, 0], [8, 1], [10, 0]] as const)
    .map((version) => hasSafeThreads({ version }));
  assert.deepEqual(safe, [false, false, true, true]);
});
