/**
 * Bisection over a list: where a property changes from one state to the other.
 *
 * @module
 */

/** What is known of an item: it is good, bad, or cannot be tested. */
export type BisectState = "good" | "bad" | "unknown";

/** Where the state changes. */
export interface BisectResult<T> {
  /** The last item of the state of the first one. */
  readonly last: T;
  /** The first item of the other state. */
  readonly first: T;
  /** Those between them, none of which could be tested: any may be the first of the other state. */
  readonly untested: readonly T[];
}

/**
 * Finds where the state changes, as git-bisect(1) does: an item that cannot be tested is passed over
 * for its neighbors.
 *
 * @param items at least two; the first has the state `from`, and the last one the other.
 * @param test is called once for each item that is tried, and neither for the first nor the last.
 */
export async function bisect<T>(
  items: readonly T[],
  from: "good" | "bad",
  test: (item: T) => Promise<BisectState>,
): Promise<BisectResult<T>> {
  let [low, high] = [0, items.length - 1];
  const unknown = new Set<number>();
  for (;;) {
    const middle = nearest(low, high, unknown);
    if (middle === undefined) break;
    const state = await test(items[middle] as T);
    if (state === "unknown") unknown.add(middle);
    else if (state === from) low = middle;
    else high = middle;
  }
  return {
    last: items[low] as T,
    first: items[high] as T,
    untested: items.slice(low + 1, high),
  };
}

/** The index between two others that is closest to their middle and may be tested. */
function nearest(low: number, high: number, unknown: ReadonlySet<number>): number | undefined {
  const middle = (low + high) / 2;
  const between = Array.from({ length: Math.max(0, high - low - 1) }, (_, i) => low + 1 + i);
  return between.filter((i) => !unknown.has(i))
    .sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle))[0];
}
