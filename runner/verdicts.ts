/**
 * Judges, counts and reports the verdicts of a run, and amends one if its case turns out to have
 * caused a fault that was reported later.
 *
 * @module
 */
import type { CaseRun, EventSink } from "../core/event.ts";
import {
  type Counts,
  EXIT,
  exitCode,
  noCounts,
  type Outcome,
  type Verdict,
} from "../core/outcome.ts";
import type { Planned } from "../core/plan.ts";
import { blamed } from "./blame.ts";
import type { Ends } from "./case.ts";
import { Harms } from "./harm.ts";
import type { Checked } from "./leak_check.ts";

/** Options for verdicts. */
export interface VerdictOptions {
  /** The two ends. */
  readonly ends: Ends;
  /** The option that ends the run at the first verdict that makes it fail, if given. */
  readonly failFast?: string | undefined;
  /** Whether a warning, or a case that was rerun, makes it fail. */
  readonly strict?: boolean | undefined;
  /** Receives events. */
  readonly sink: EventSink;
  /** Applies the baseline to a verdict. */
  readonly judge?: ((run: CaseRun, verdict: Verdict) => Verdict) | undefined;
  /** Finds out, after an end was lost, what its kernel died of: one line each. */
  readonly postMortem?: (() => Promise<readonly string[]>) | undefined;
}

/** A case of a round. */
export interface Item {
  readonly planned: Planned;
  readonly run: CaseRun;
}

/** The verdicts of a run. */
export class Verdicts {
  readonly #options: VerdictOptions;
  readonly #counts: Record<Outcome, number> = noCounts();
  /** What has happened to the kernels. */
  readonly harms: Harms = new Harms();
  #previous: Item & { readonly verdict: Verdict } | undefined;
  /** What the kernel died of, if an end is lost. */
  #died: Promise<readonly string[]> | undefined;

  constructor(options: VerdictOptions) {
    this.#options = options;
  }

  /** The number of verdicts by outcome. */
  get counts(): Counts {
    return this.#counts;
  }

  /** Whether an end was lost during the last one. */
  get lost(): boolean {
    return this.#died !== undefined;
  }

  /**
   * Adds a verdict. Even if an end is reachable again, its kernel may have died.
   *
   * @param lost why an end is lost, if one is.
   * @returns why the run ends, if it does.
   */
  async take({ planned, run }: Item, found: Verdict, lost?: string): Promise<string | undefined> {
    const { sink, judge, ends } = this.#options;
    let died: readonly string[] = [];
    if (lost !== undefined) died = await (this.#died ??= this.causes());
    else if (hasDied(found)) died = await this.causes();
    const judged = withCause(lost === undefined ? judge?.(run, found) ?? found : found, died);
    const verdict = this.harms.note(planned, ends, judged);
    this.#previous = { planned, run, verdict };
    this.#counts[verdict.outcome]++;
    sink({ type: "case-end", run, title: planned.case.title, verdict });
    return lost ?? this.#failure(run, verdict);
  }

  /**
   * Amends the verdict on the previous case if the next one shows that it caused a fault.
   *
   * @returns why the run ends, if it does.
   */
  blame(next: Planned, { earlier }: Checked): string | undefined {
    if (this.#previous === undefined) return undefined;
    const { planned, run, verdict: old } = this.#previous;
    const verdict = blamed(this.#previous, next, earlier, this.#options.ends);
    if (verdict === undefined) return undefined;
    this.#previous = { planned, run, verdict };
    this.#counts[old.outcome]--;
    this.#counts[verdict.outcome]++;
    this.#options.sink({ type: "case-amended", run, title: planned.case.title, verdict });
    return this.#failure(run, verdict);
  }

  /** Why the run ends, if it has to end at a failure. */
  #failure({ id, direction }: CaseRun, { outcome }: Verdict): string | undefined {
    const { failFast, strict } = this.#options;
    const code = exitCode(this.#counts, strict);
    const isFailure = code === EXIT.failed || code === EXIT.broken;
    return failFast !== undefined && isFailure
      ? `${failFast}: ${id} (${direction}) is ${outcome}`
      : undefined;
  }

  /** Continues with other kernels, on which no case has run. */
  cleaned(): void {
    this.harms.cleaned();
    this.#previous = undefined;
  }

  /** What a kernel logged before it died. */
  async causes(): Promise<readonly string[]> {
    return await this.#options.postMortem?.() ?? [];
  }
}

/** The verdict on a case during which an end was lost: it fails if a kernel died. */
function withCause(found: Verdict, died: readonly string[]): Verdict {
  if (died.length === 0) return found;
  return { ...found, outcome: "fail", reasons: [...died, ...found.reasons] };
}

/** Whether a process died during a case. */
export function hasDied({ sides }: Verdict): boolean {
  return sides !== undefined && (sides.client.died ?? sides.server.died ?? false);
}
