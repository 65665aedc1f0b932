/**
 * The hash by which the two sides of a case compare data over the control channel.
 *
 * @module
 */

/**
 * djb2 in 64 bits, as the kernel's tests compute it in an unsigned long.
 *
 * @param data the bytes.
 * @returns h = h * 33 + byte from 5381 on, modulo 2^64.
 */
export function djb2(data: Uint8Array): bigint {
  // Two halves of 32 bits, since a bigint for every byte would take seconds for a few megabytes.
  let high = 0;
  let low = 5381;
  for (const byte of data) {
    const next = low * 33 + byte;
    high = (Math.imul(high, 33) + Math.floor(next / 2 ** 32)) >>> 0;
    low = next >>> 0;
  }
  return BigInt(high) << 32n | BigInt(low);
}
