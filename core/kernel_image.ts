/**
 * Recognizes kernels that QEMU can boot, by their first bytes.
 *
 * @module
 */

/** The number of bytes needed. */
export const IMAGE_HEAD = 0x206;

/** The magic bytes of each kind of kernel, and their offsets. */
const KINDS:
  readonly (readonly [kind: string, ...marks: readonly (readonly [number, string])[]])[] = [
    // Documentation/arch/x86/boot.rst: the boot sector's mark, and the header's.
    ["bzImage", [0x1fe, "\x55\xaa"], [0x202, "HdrS"]],
    // Documentation/arch/arm64/booting.rst.
    ["arm64 Image", [56, "ARM\x64"]],
    // drivers/firmware/efi/libstub/zboot-header.S: such an image, compressed.
    ["EFI zboot", [0, "MZ"], [4, "zimg"]],
    ["gzip", [0, "\x1f\x8b"]],
    ["ELF", [0, "\x7fELF"]],
  ];

/** The kind of kernel of a file that begins with these bytes; undefined if it is none. */
export function kernelImage(head: Uint8Array): string | undefined {
  const stands = ([at, text]: readonly [number, string]) =>
    [...text].every((character, i) => head[at + i] === character.charCodeAt(0));
  return KINDS.find(([, ...marks]) => marks.every(stands))?.[0];
}
