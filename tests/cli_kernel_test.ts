/**
 * Kernels of the user's own, as far as the command line gets without a VM.
 *
 * @module
 */
import assert from "node:assert/strict";
import { runTool } from "./support/tool.ts";

Deno.test("lab kernel config prints what the VMs of a topology need", async () => {
  const config = async (...args: string[]) => {
    const { code, stdout, stderr } = await runTool(["lab", "kernel", "config", ...args]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  assert.match(await config("--arch", "arm64"), /^CONFIG_KVM=y$/m);
  const loopback = await config("--topology", "loopback", "--arch", "x86_64", "--debug");
  assert.match(loopback, /^CONFIG_KASAN=y$/m);
  assert.doesNotMatch(loopback, /^CONFIG_KVM=y$/m);
});

Deno.test("lab says before the boot what is wrong with a kernel's tree", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-tree-" });
  const lab = async (...more: string[]) => {
    const args = ["lab", "--topology", "loopback", "--kernel", folder, ...more];
    const { code, stderr } = await runTool(args);
    assert.equal(code, 2, stderr);
    return stderr;
  };
  try {
    assert.match(await lab(), /neither a kernel's tree nor/);
    await Deno.writeTextFile(`${folder}/.config`, "CONFIG_X86_64=y\nCONFIG_VSOCKETS=m\n");
    assert.match(await lab(), /was not built, there is no .*bzImage: run "make bzImage modules"/);
    assert.match(await lab("--modules", folder), /leave --modules out/);
    await Deno.mkdir(`${folder}/arch/x86/boot`, { recursive: true });
    await Deno.writeTextFile(`${folder}/arch/x86/boot/bzImage`, "");
    const missing = await lab();
    assert.match(missing, /^ +CONFIG_VSOCKETS_LOOPBACK: AF_VSOCK, its loopback too$/m);
    assert.match(missing, /^ +scripts\/config .*-e VSOCKETS_LOOPBACK .*&& make olddefconfig$/m);
    assert.match(await lab("--arch", "arm64"), /is a kernel for x86_64, not for arm64/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
