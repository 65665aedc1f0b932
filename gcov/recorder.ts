/**
 * Records what a run counts: before its first case, and with each case.
 *
 * @module
 */
import type { CounterFiles } from "../control/counters_wire.ts";
import type { CaseRun } from "../core/event.ts";
import { reasonOf } from "../core/error.ts";
import type { End } from "../runner/end.ts";
import { readCounters } from "../runner/counters.ts";
import type { Between } from "../runner/run.ts";
import { counting, since, sumOf } from "./counters.ts";

/** What was counted by a run of a case. */
export interface CaseCounters {
  readonly id: string;
  readonly counters: CounterFiles;
}

/** A kernel that counts. */
interface Kernel {
  readonly end: End;
  /** As read before the first case. */
  readonly boot: CounterFiles;
  /** As read last. */
  last: CounterFiles;
}

const NOTHING: CounterFiles = new Map();

/** Reads the counters of each kernel, and attributes their growth. */
export class Recorder implements Between {
  readonly #ends: readonly End[];
  #kernels: Kernel[] = [];
  #run: CounterFiles = NOTHING;
  readonly #cases: CaseCounters[] = [];
  readonly #lost: string[] = [];

  /** @param ends one for each kernel. */
  constructor(ends: readonly End[]) {
    this.#ends = ends;
  }

  /** What was counted before the first case, by the boots. */
  get boot(): CounterFiles {
    return this.#kernels.reduce((sum, { boot }) => sumOf(sum, boot), NOTHING);
  }

  /** What was counted since then. */
  get run(): CounterFiles {
    return this.#run;
  }

  /** What each case has counted, in their order. */
  get cases(): readonly CaseCounters[] {
    return this.#cases;
  }

  /** Why some counters are missing, one text for each time. */
  get lost(): readonly string[] {
    return this.#lost;
  }

  /** @throws {CountersError} if a kernel counts nothing. */
  async before(next: () => number): Promise<void> {
    for (const end of this.#ends) {
      const boot = await readCounters(end, next());
      this.#kernels.push({ end, boot, last: boot });
    }
  }

  async after({ id }: CaseRun, next: () => number): Promise<void> {
    const counters = await this.#take(`during ${id}`, next);
    this.#cases.push({ id, counters: counting(counters) });
  }

  async end(next: () => number): Promise<void> {
    await this.#take("after the last case", next);
  }

  async #take(when: string, next: () => number): Promise<CounterFiles> {
    let sum = NOTHING;
    for (const kernel of this.#kernels) {
      try {
        const now = await readCounters(kernel.end, next());
        const grown = since(kernel.last, now);
        // A kernel that was replaced has booted as the first did; what that one counted is lost.
        if (grown === undefined) this.#lost.push(`${when}: the ${kernel.end.name} was replaced`);
        sum = sumOf(sum, grown ?? since(kernel.boot, now) ?? NOTHING);
        kernel.last = now;
      } catch (error) {
        this.#lost.push(`${when}: ${reasonOf(error)}`);
      }
    }
    this.#run = sumOf(this.#run, sum);
    return sum;
  }
}
