/**
 * The hash by which the two sides of a case compare data over the control channel.
 *
 * @module
 */

const POWER_4 = 33 ** 4;

/**
 * djb2 in 64 bits, as the kernel's tests compute it in an unsigned long.
 *
 * @param data the bytes.
 * @returns h = h * 33 + byte from 5381 on, modulo 2^64.
 */
export function djb2(data: Uint8Array): bigint {
  // Two halves of 32 bits, since a bigint for every byte would take seconds for a few megabytes;
  // and four bytes at a time: low * 33^4 still fits the 53 bits of a number.
  let high = 0;
  let low = 5381;
  const end = data.length & ~3;
  for (let i = 0; i < end; i += 4) {
    const four = (((data[i] ?? 0) * 33 + (data[i + 1] ?? 0)) * 33 + (data[i + 2] ?? 0)) * 33 +
      (data[i + 3] ?? 0);
    const next = low * POWER_4 + four;
    high = (Math.imul(high, POWER_4) + Math.floor(next / 2 ** 32)) >>> 0;
    low = next >>> 0;
  }
  for (const byte of data.subarray(end)) {
    const next = low * 33 + byte;
    high = (Math.imul(high, 33) + Math.floor(next / 2 ** 32)) >>> 0;
    low = next >>> 0;
  }
  return BigInt(high) << 32n | BigInt(low);
}
