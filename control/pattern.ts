/**
 * The bytes that random calls send, by the number of their pattern, and the digest with which both
 * halves compare what was received with what was sent.
 *
 * @module
 */
import { Random } from "../core/random.ts";
import { MAX_CALL_BYTES } from "../core/socket_call.ts";

/**
 * The distance between the beginnings of patterns in the pool: a prime, so that they all differ.
 */
const STRIDE = 7919;
const BEGINNINGS = 65_521;

let pool: Uint8Array<ArrayBuffer> | undefined;

/**
 * The first bytes of a pattern; not to be written to.
 *
 * @param length at most {@linkcode MAX_CALL_BYTES}.
 */
export function patternBytes(pattern: number, length: number): Uint8Array<ArrayBuffer> {
  pool ??= new Random(0x5eed).bytes(MAX_CALL_BYTES + BEGINNINGS);
  const from = pattern * STRIDE % BEGINNINGS;
  return pool.subarray(from, from + length);
}

/** A 32-bit digest of bytes, like FNV but with four bytes at a time. */
export function digestOf(bytes: Uint8Array<ArrayBuffer>): number {
  const whole = bytes.length & ~3;
  // Reading words needs aligned memory, as that of received data is.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, whole / 4);
  let hash = 0x811c9dc5 ^ bytes.length;
  for (let i = 0; i < words.length; i++) {
    hash = Math.imul(hash ^ (words[i] ?? 0), 0x01000193);
    hash ^= hash >>> 15;
  }
  for (let i = whole; i < bytes.length; i++) {
    hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  }
  return hash >>> 0;
}
