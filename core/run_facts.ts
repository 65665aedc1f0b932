/**
 * What is known of what made a run, and what had to be done again in it.
 *
 * @module
 */
import type { Retry, RunFacts } from "./event.ts";

/** What is known of what made a run; what is not is left out. */
export function factsOf({ tool, commit, again, lab, shard }: RunFacts): RunFacts {
  return {
    ...(tool === undefined ? {} : { tool }),
    ...(commit === undefined ? {} : { commit }),
    ...(again === undefined ? {} : { again }),
    ...(lab === undefined ? {} : { lab }),
    ...(shard === undefined ? {} : { shard }),
  };
}

/** Counts what is done again, by what it was and why. */
export class RetryCount {
  readonly #times = new Map<string, Retry>();

  /** Takes one more. */
  add({ what, why, times = 1 }: Retry): void {
    const name = JSON.stringify([what, why]);
    const before = this.#times.get(name);
    const sum = times + (before === undefined ? 0 : before.times ?? 1);
    this.#times.set(name, { what, why, ...(sum === 1 ? {} : { times: sum }) });
  }

  /** Gives what was done again, and forgets it. */
  take(): readonly Retry[] {
    const all = this.all;
    this.#times.clear();
    return all;
  }

  /** What was done again, in the order in which it was for the first time. */
  get all(): readonly Retry[] {
    return [...this.#times.values()];
  }
}
