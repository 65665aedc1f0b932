/**
 * The configuration that a kernel's image holds where it was built with CONFIG_IKCONFIG.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { gunzipSync, zstdDecompressSync } from "node:zlib";

/** What stands around it in the kernel's data: kernel/configs.c. */
const [BEGIN, END] = ["IKCFG_ST", "IKCFG_ED"].map((text) => new TextEncoder().encode(text));

/** Where a bzImage says what it holds: Documentation/arch/x86/boot.rst. */
const BZIMAGE = { setupSectors: 0x1f1, magic: 0x202, payloadOffset: 0x248, payloadLength: 0x24c };
const HDRS = 0x53726448;
const SECTOR = 512;
/** How compressed data begins. */
const GZIP = 0x8b1f;
const ZSTD = 0xfd2fb528;

/**
 * Finds the configuration in an image.
 *
 * @returns undefined where there is none, or it is compressed in a way that nothing here reads.
 */
export function imageConfig(image: Uint8Array): string | undefined {
  const kernel = uncompressed(image);
  const begin = kernel === undefined ? -1 : indexOf(kernel, BEGIN ?? new Uint8Array());
  if (kernel === undefined || begin < 0) return undefined;
  const end = indexOf(kernel, END ?? new Uint8Array(), begin);
  if (end < 0) return undefined;
  try {
    return new TextDecoder().decode(gunzipSync(kernel.subarray(begin + "IKCFG_ST".length, end)));
  } catch {
    return undefined;
  }
}

/** What an image unpacks when it starts. */
function uncompressed(image: Uint8Array): Uint8Array | undefined {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  if (image.length >= 2 && view.getUint16(0, true) === GZIP) return unpacked(image);
  if (image.length < BZIMAGE.payloadLength + 4) return undefined;
  if (view.getUint32(BZIMAGE.magic, true) !== HDRS) return image;
  const setup = ((view.getUint8(BZIMAGE.setupSectors) || 4) + 1) * SECTOR;
  const start = setup + view.getUint32(BZIMAGE.payloadOffset, true);
  // The length of what is unpacked follows in four bytes; gzip has it for itself.
  return unpacked(image.subarray(start, start + view.getUint32(BZIMAGE.payloadLength, true)));
}

function unpacked(data: Uint8Array): Uint8Array | undefined {
  if (data.length < 8) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  try {
    if (view.getUint16(0, true) === GZIP) return gunzipSync(data);
    if (view.getUint32(0, true) === ZSTD) return zstdDecompressSync(data.subarray(0, -4));
  } catch {
    // Whatever this is, it is not to be read here.
  }
  return undefined;
}

function indexOf(data: Uint8Array, wanted: Uint8Array, from = 0): number {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).indexOf(wanted, from);
}
