import assert from "node:assert/strict";
import { ARCHES, archTraits, ownArch } from "./arch.ts";
import { LabUsageError } from "./error.ts";
import { archOf, requireSuitable } from "./prepare.ts";

const KVM = { works: true, why: "" };
const TCG = { works: false, why: "there is none" };
const LATEST = { kernel: { kernel: "debian:latest" } };
const own = ownArch().name;

Deno.test("archOf() takes arm64 for an emulated pair, and this machine's own otherwise", async () => {
  for (const topology of ["guest-host", "three-cids", "three-devices"] as const) {
    assert.equal(await archOf({ topology, ...LATEST }, TCG), "arm64");
    assert.equal(await archOf({ topology, ...LATEST }, KVM), own);
  }
  assert.equal(await archOf({ topology: "loopback", ...LATEST }, TCG), own);
  for (const arch of ARCHES) {
    assert.equal(await archOf({ topology: "guest-host", arch, ...LATEST }, KVM), arch);
  }
});

Deno.test("archOf() goes by a kernel's file, and refuses another architecture for it", async () => {
  const path = await Deno.makeTempFile();
  try {
    const image = new Uint8Array(0x300);
    image.set(new TextEncoder().encode("ARMd"), 56);
    await Deno.writeFile(path, image);
    const kernel = { kernel: path };
    assert.equal(await archOf({ topology: "loopback", kernel }, KVM), "arm64");
    await assert.rejects(
      archOf({ topology: "loopback", kernel, arch: "x86_64" }, KVM),
      /is a kernel for arm64, not for x86_64/,
    );
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("requireSuitable() refuses QEMU 7.2 for an emulated x86-64 pair alone", () => {
  const qemu = (version: readonly [number, number]) => ({ path: "/q", version, identity: "" });
  const [x86, arm] = [archTraits("x86_64"), archTraits("arm64")];
  assert.throws(() => requireSuitable(qemu([7, 2]), x86, "host", TCG), (error: unknown) => {
    assert.ok(error instanceof LabUsageError);
    assert.match(error.message, /^QEMU 7\.2 \(\/q\) does not boot .* give QEMU 8\.1 or newer$/);
    return true;
  });
  requireSuitable(qemu([8, 1]), x86, "host", TCG);
  requireSuitable(qemu([7, 2]), x86, "host", KVM);
  requireSuitable(qemu([7, 2]), x86, "loopback", TCG);
  requireSuitable(qemu([7, 2]), arm, "host", TCG);
});
