/**
 * Seeded randomness: both sides of a case draw the same numbers, and `--seed` repeats them.
 *
 * @module
 */

/** A generator of pseudo-random numbers (mulberry32). */
export class Random {
  #state: number;

  /**
   * A new generator.
   *
   * @param seed any integer; equal seeds give equal numbers.
   */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An unsigned 32-bit number. */
  next(): number {
    this.#state = this.#state + 0x6d2b79f5 >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ t >>> 15, t | 1);
    t ^= t + Math.imul(t ^ t >>> 7, t | 61);
    return (t ^ t >>> 14) >>> 0;
  }

  /** An integer from 0 up to, but not including, `end`. */
  below(end: number): number {
    return Math.floor(this.next() / 2 ** 32 * end);
  }

  /** `length` random bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const words = new Uint32Array(new ArrayBuffer(4 * Math.ceil(length / 4)));
    for (let i = 0; i < words.length; i++) words[i] = this.next();
    return new Uint8Array(words.buffer, 0, length);
  }
}

/** The seed for one case of a run, which does not depend on the other cases. */
export function seedFor(seed: number, id: string): number {
  let hash = seed >>> 0;
  for (const character of id) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}
