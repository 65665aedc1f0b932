import assert from "node:assert/strict";
import { archTraits } from "../arch.ts";
import { configFragment, mergedConfig, missingOptions, missingText } from "./config.ts";

const X86 = archTraits("x86_64");
const PAIR = { arch: X86, hasGuest: true };

Deno.test("configFragment() asks for a guest only where there is one", async () => {
  const pair = await configFragment(PAIR);
  const loopback = await configFragment({ ...PAIR, hasGuest: false });
  assert.match(pair, /^CONFIG_KVM_AMD=y$/m);
  assert.doesNotMatch(loopback, /CONFIG_KVM_AMD/);
  assert.doesNotMatch(pair, /KASAN/);
  const options = pair.match(/^CONFIG_\w+/gm) ?? [];
  assert.equal(new Set(options).size, options.length, "an option stands twice");
  assert.match(pair, /^# the guest's vsock device.*\nCONFIG_VIRTIO_VSOCKETS=y$/m);
  assert.match(await configFragment({ ...PAIR, debug: true }), /^CONFIG_KASAN=y$/m);
  const arm = await configFragment({ ...PAIR, arch: archTraits("arm64") });
  assert.match(arm, /^CONFIG_SERIAL_AMBA_PL011_CONSOLE=y$/m);
  assert.doesNotMatch(arm, /CONFIG_ACPI/);
});

Deno.test("missingOptions() finds nothing in what the fragment sets", async () => {
  for (const arch of [X86, archTraits("arm64")]) {
    for (const hasGuest of [false, true]) {
      const wanted = { arch, hasGuest };
      assert.deepEqual(await missingOptions(await configFragment(wanted), wanted), []);
    }
  }
});

Deno.test("missingOptions() finds each that VMs need, and takes modules that the lab loads", async () => {
  const config = (await configFragment(PAIR))
    .replaceAll("CONFIG_EXT4_FS=y", "CONFIG_EXT4_FS=m")
    .replaceAll("CONFIG_UNIX=y", "CONFIG_UNIX=m")
    .replaceAll("CONFIG_KVM_AMD=y", "# CONFIG_KVM_AMD is not set")
    .replaceAll("CONFIG_SLUB_DEBUG=y\n", "");
  const missing = await missingOptions(config, PAIR);
  assert.deepEqual(missing.map(({ option, isModule }) => [option, isModule]), [
    ["CONFIG_UNIX", true],
    ["CONFIG_KVM_AMD", false],
  ]);
  assert.equal(
    missingText(missing),
    "  CONFIG_UNIX (is a module: y is needed): the network between an agent and its controller\n" +
      "  CONFIG_KVM_AMD: the guest: AMD's SVM is what QEMU emulates\n" +
      "Set them in the kernel's tree, and build it again:\n" +
      "  scripts/config -e UNIX -e KVM_AMD && make olddefconfig",
  );
});

Deno.test("mergedConfig() has the later of two settings", () => {
  assert.equal(
    mergedConfig(["# a\nCONFIG_A=y\nCONFIG_B=y\n", 'CONFIG_B=m\nCONFIG_C="c"\n']),
    'CONFIG_A=y\nCONFIG_B=m\nCONFIG_C="c"\n',
  );
});
