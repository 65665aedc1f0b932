/**
 * Decides whether growth of what a kernel holds is a leak. A count may have grown for many reasons,
 * such as packets of the control channel, or memory cached by a processor. A leak grows every time
 * the case is run.
 *
 * @module
 */

/** How much of something a kernel holds while it is idle. */
export interface Held {
  /** What it is, in the plural. */
  readonly what: string;
  /** How much there is of it. */
  readonly count: number;
  /** How much the count varies by itself; growth up to that means nothing. */
  readonly slack: number;
}

/** Something of which a kernel holds more than before. */
export interface Growth {
  /** What it is, in the plural. */
  readonly what: string;
  /** The growth in each run of the case, beginning with the first. */
  readonly grown: readonly number[];
}

/** The maximum number of reruns of a case to decide about a leak. */
export const MAX_REPEATS = 8;
/** The numbers of reruns needed to show a leak, and to show that there is none. */
const FEWEST_FOR_LEAK = 3;
const FEWEST_FOR_NONE = 2;
/** The growth needed in the end; less may have other reasons. */
const LEAST = 3;

/** What a kernel held last. */
export class Holdings {
  readonly #counts = new Map<string, number>();

  /**
   * Compares with what is held now.
   *
   * @returns everything that has grown by more than its slack; new counts are not compared.
   */
  take(held: readonly Held[]): Growth[] {
    return held.flatMap(({ what, count, slack }) => {
      const before = this.#counts.get(what);
      const grown = before === undefined ? 0 : count - before;
      // Within the slack keep the minimum, so that a slow leak exceeds it in the end.
      if (before === undefined || grown < 0 || grown > slack) this.#counts.set(what, count);
      return grown > slack ? [{ what, grown: [grown] }] : [];
    });
  }

  /** Adds the growth in one more run. */
  follow(growths: readonly Growth[], held: readonly Held[]): Growth[] {
    return growths.map(({ what, grown }) => {
      const before = this.#counts.get(what);
      const count = held.find((now) => now.what === what)?.count;
      if (count !== undefined) this.#counts.set(what, count);
      // Counts that are missing now or were missing before have not grown.
      const more = before === undefined || count === undefined ? 0 : count - before;
      return { what, grown: [...grown, more] };
    });
  }

  /** Forgets everything, since the kernel may be another one now. */
  clear(): void {
    this.#counts.clear();
  }
}

/**
 * Judges growth by the reruns.
 *
 * @returns whether it is a leak; undefined if another rerun is needed to decide.
 */
export function isLeak({ grown: [first = 0, ...later] }: Growth): boolean | undefined {
  const runs = later.length;
  const more = later.reduce((sum, count) => sum + count, 0);
  if (runs >= FEWEST_FOR_NONE && more < runs * first / 4) return false;
  if (runs >= FEWEST_FOR_LEAK && more >= Math.max(LEAST, runs * first / 2)) return true;
  return runs < MAX_REPEATS ? undefined : more >= LEAST;
}

/** A leak as one line of text. */
export function leakText({ what, grown: [first, ...later] }: Growth): string {
  const more = later.reduce((sum, count) => sum + count, 0);
  return `leak: ${what}: ${first} more after this case, and ${more} more after ` +
    `${later.length} more runs of it (${later.join(", ")})`;
}
