/**
 * The facts about a run, and its retries.
 *
 * @module
 */
import type { Retry, RunFacts } from "./event.ts";

/** The facts about a run that are known. */
export function factsOf({ tool, commit, again, lab, shard }: RunFacts): RunFacts {
  return {
    ...(tool === undefined ? {} : { tool }),
    ...(commit === undefined ? {} : { commit }),
    ...(again === undefined ? {} : { again }),
    ...(lab === undefined ? {} : { lab }),
    ...(shard === undefined ? {} : { shard }),
  };
}

/** Counts retries, by what was retried and why. */
export class RetryCount {
  readonly #times = new Map<string, Retry>();

  /** Adds a retry. */
  add({ what, why, times = 1 }: Retry): void {
    const name = JSON.stringify([what, why]);
    const before = this.#times.get(name);
    const sum = times + (before === undefined ? 0 : before.times ?? 1);
    this.#times.set(name, { what, why, ...(sum === 1 ? {} : { times: sum }) });
  }

  /** Returns all retries, and forgets them. */
  take(): readonly Retry[] {
    const all = this.all;
    this.#times.clear();
    return all;
  }

  /** All retries, in the order of their first occurrence. */
  get all(): readonly Retry[] {
    return [...this.#times.values()];
  }
}
