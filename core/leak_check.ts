/**
 * Which growth of what a kernel holds is a leak. A count that has grown may have done so for many
 * reasons: packets of the control channel, memory that a processor keeps at hand. What a case leaks
 * grows each time that the case is run.
 *
 * @module
 */

/** How much a kernel holds of something, when nothing is under way that could need it. */
export interface Held {
  /** What it is, in the plural. */
  readonly what: string;
  /** How much there is of it. */
  readonly count: number;
  /** How much of it comes and goes by itself; growth up to that says nothing. */
  readonly slack: number;
}

/** Something of which a kernel holds more than before. */
export interface Growth {
  /** What it is, in the plural. */
  readonly what: string;
  /** How much more with each run of the case, the first one's in front. */
  readonly grown: readonly number[];
}

/** Most runs of a case, the first not counted, in order to tell a leak. */
export const MAX_REPEATS = 8;
/** Fewest of them that show one, and fewest that show that there is none. */
const FEWEST_FOR_LEAK = 3;
const FEWEST_FOR_NONE = 2;
/** How much must be there in the end; less may have come from elsewhere. */
const LEAST = 3;

/** What one kernel held last. */
export class Holdings {
  readonly #counts = new Map<string, number>();

  /**
   * Takes what is held now.
   *
   * @returns what has grown by more than its slack; of what is new, nothing is known.
   */
  take(held: readonly Held[]): Growth[] {
    return held.flatMap(({ what, count, slack }) => {
      const before = this.#counts.get(what);
      const grown = before === undefined ? 0 : count - before;
      // Within the slack the fewest count, so that a slow leak comes out of it in the end.
      if (before === undefined || grown < 0 || grown > slack) this.#counts.set(what, count);
      return grown > slack ? [{ what, grown: [grown] }] : [];
    });
  }

  /** Takes what is held after one more run, and adds how much it has grown since the last. */
  follow(growths: readonly Growth[], held: readonly Held[]): Growth[] {
    return growths.map(({ what, grown }) => {
      const before = this.#counts.get(what);
      const count = held.find((now) => now.what === what)?.count;
      if (count !== undefined) this.#counts.set(what, count);
      // What can no longer be counted has not grown, nor has what is counted for the first time.
      const more = before === undefined || count === undefined ? 0 : count - before;
      return { what, grown: [...grown, more] };
    });
  }

  /** Forgets all, since another kernel may be there now. */
  clear(): void {
    this.#counts.clear();
  }
}

/**
 * Judges a growth by the runs that followed the first.
 *
 * @returns whether it is a leak; undefined where another run is needed to tell.
 */
export function isLeak({ grown: [first = 0, ...later] }: Growth): boolean | undefined {
  const runs = later.length;
  const more = later.reduce((sum, count) => sum + count, 0);
  if (runs >= FEWEST_FOR_NONE && more < runs * first / 4) return false;
  if (runs >= FEWEST_FOR_LEAK && more >= Math.max(LEAST, runs * first / 2)) return true;
  return runs < MAX_REPEATS ? undefined : more >= LEAST;
}

/** A leak in a line. */
export function leakText({ what, grown: [first, ...later] }: Growth): string {
  const more = later.reduce((sum, count) => sum + count, 0);
  return `leak: ${what}: ${first} more after this case, and ${more} more after ` +
    `${later.length} more runs of it (${later.join(", ")})`;
}
