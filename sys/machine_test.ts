import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { configOf, kernelTaint, machineOf } from "./machine.ts";

Deno.test("machineOf() has the whole of uname and the kernel's command line", async () => {
  const { uname, commandLine } = await machineOf("1.2.3", "riscv64");
  assert.match(uname ?? "", /^Linux 1\.2\.3 #.* riscv64$/);
  assert.equal(commandLine, (await Deno.readTextFile("/proc/cmdline")).trim());
});

Deno.test("configOf() names the first file there is, and digests its text", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  try {
    const text = "CONFIG_VSOCKETS=m\n";
    const sha256 = createHash("sha256").update(text).digest("hex");
    const [packed, plain] = [`${folder}/config.gz`, `${folder}/config`];
    assert.equal(await configOf("1", [packed, plain]), undefined);
    await Deno.writeTextFile(plain, text);
    assert.deepEqual(await configOf("1", [packed, plain]), { path: plain, sha256 });
    await Deno.writeFile(packed, gzipSync(text));
    assert.deepEqual(await configOf("1", [packed, plain]), { path: packed, sha256 });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("kernelTaint() reads a number, or says that it cannot", async () => {
  assert.ok(Number.isSafeInteger(kernelTaint()));
  assert.equal(kernelTaint("/nonexistent"), undefined);
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, "12800\n");
    assert.equal(kernelTaint(file), 12800);
  } finally {
    await Deno.remove(file);
  }
});
