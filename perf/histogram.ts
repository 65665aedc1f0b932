/**
 * A log-linear histogram: values of any size in buckets whose width is at most a thousandth of
 * their value, in a fixed array, so that recording allocates nothing.
 *
 * @module
 */

/** Buckets of width 1; above, each doubling of the value has half as many of twice the width. */
const LINEAR = 2048;
const HALF = LINEAR / 2;
const HALF_BITS = 10;
/** Values up to 2^42: nanoseconds of more than an hour. */
const DOUBLINGS = 42 - HALF_BITS;
const MAX = 2 ** 42 - 1;

/** Counts of values, in buckets. */
export class Histogram {
  readonly #counts = new Float64Array((DOUBLINGS + 1) * HALF);
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = 0;

  /**
   * Counts a value.
   *
   * @param value at least 0; rounded down. What is more than 2^42 - 1 counts as that.
   */
  record(value: number): void {
    const whole = value > MAX ? MAX : Math.floor(value);
    const index = indexOf(whole);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count++;
    this.#sum += whole;
    if (whole < this.#min) this.#min = whole;
    if (whole > this.#max) this.#max = whole;
  }

  /** How many values there are. */
  get count(): number {
    return this.#count;
  }

  /** The least value; 0 where there is none. */
  get min(): number {
    return this.#count === 0 ? 0 : this.#min;
  }

  /** The greatest value; 0 where there is none. */
  get max(): number {
    return this.#max;
  }

  /** The arithmetic mean; 0 where there is no value. */
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  /**
   * A value that so many percent of all do not exceed: the greatest that falls into the same bucket
   * as theirs.
   *
   * @param percent more than 0, up to 100.
   */
  percentile(percent: number): number {
    const exact = percent / 100 * this.#count;
    // A product that should be whole may be a little more, and would be rounded up.
    const wanted = Math.max(1, Math.ceil(exact - exact * Number.EPSILON));
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return Math.min(this.#max, greatestOf(index));
    }
    return this.#max;
  }
}

/** Which bucket a whole number falls into. */
function indexOf(value: number): number {
  if (value < LINEAR) return value;
  const high = Math.floor(value / 2 ** 32);
  const bits = high > 0 ? 64 - Math.clz32(high) : 32 - Math.clz32(value);
  const doubling = bits - HALF_BITS - 1;
  return doubling * HALF + Math.floor(value / 2 ** doubling);
}

/** The greatest whole number that falls into a bucket. */
function greatestOf(index: number): number {
  if (index < LINEAR) return index;
  const doubling = Math.floor(index / HALF) - 1;
  return (index - doubling * HALF + 1) * 2 ** doubling - 1;
}
