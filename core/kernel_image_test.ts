import assert from "node:assert/strict";
import fc from "fast-check";
import { IMAGE_HEAD, kernelImage } from "./kernel_image.ts";

/** The beginning of a file in which bytes stand at places. */
function head(...marks: readonly (readonly [number, ...number[]])[]): Uint8Array {
  const bytes = new Uint8Array(IMAGE_HEAD);
  for (const [at, ...values] of marks) bytes.set(values, at);
  return bytes;
}

Deno.test("kernelImage() knows the kinds that QEMU boots", () => {
  const header = [0x48, 0x64, 0x72, 0x53] as const;
  assert.equal(kernelImage(head([0x1fe, 0x55, 0xaa], [0x202, ...header])), "bzImage");
  assert.equal(kernelImage(head([0, 0x4d, 0x5a], [56, 0x41, 0x52, 0x4d, 0x64])), "arm64 Image");
  assert.equal(kernelImage(head([0, 0x4d, 0x5a, 0, 0, 0x7a, 0x69, 0x6d, 0x67])), "EFI zboot");
  assert.equal(kernelImage(head([0, 0x1f, 0x8b])), "gzip");
  assert.equal(kernelImage(head([0, 0x7f, 0x45, 0x4c, 0x46])), "ELF");
});

Deno.test("kernelImage() knows that others are none", () => {
  assert.equal(kernelImage(new Uint8Array()), undefined);
  assert.equal(kernelImage(head()), undefined);
  assert.equal(kernelImage(head([0x1fe, 0x55, 0xaa])), undefined, "a boot sector");
  assert.equal(kernelImage(head([0, 0x4d, 0x5a])), undefined, "a program for Windows");
  fc.assert(fc.property(fc.string({ maxLength: IMAGE_HEAD }), (text) => {
    assert.equal(kernelImage(new TextEncoder().encode(`# ${text}`).slice(0, 56)), undefined);
  }));
});
