/**
 * The verdicts of a run as they come: judged, counted and reported, and amended if a case turns out
 * to be to blame only after it has ended.
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

/** How verdicts are taken. */
export interface VerdictOptions {
  /** The two ends. */
  readonly ends: Ends;
  /** Ends the run with the first verdict that makes it fail; it is what asked for that. */
  readonly failFast?: string | undefined;
  /** Whether a warning, or a case that had to be run again, makes it fail. */
  readonly strict?: boolean | undefined;
  /** Is told what happens. */
  readonly sink: EventSink;
  /** What a verdict is in the light of what is known to fail. */
  readonly judge?: ((run: CaseRun, verdict: Verdict) => Verdict) | undefined;
  /** Finds out, after an end was lost, what its kernel died of: one line each. */
  readonly postMortem?: (() => Promise<readonly string[]>) | undefined;
}

/** A case of a round. */
export interface Item {
  readonly planned: Planned;
  readonly run: CaseRun;
}

/** Takes the verdicts of a run. */
export class Verdicts {
  readonly #options: VerdictOptions;
  readonly #counts: Record<Outcome, number> = noCounts();
  /** What has become of the kernels that they are found on. */
  readonly harms: Harms = new Harms();
  #previous: Item & { readonly verdict: Verdict } | undefined;
  /** What the kernel died of, where an end is lost. */
  #died: Promise<readonly string[]> | undefined;

  constructor(options: VerdictOptions) {
    this.#options = options;
  }

  /** How many there are of each outcome. */
  get counts(): Counts {
    return this.#counts;
  }

  /** Whether the last was found when an end was lost. */
  get lost(): boolean {
    return this.#died !== undefined;
  }

  /**
   * Takes a verdict. An end that came back may have lost its kernel, too.
   *
   * @param lost why an end is lost, where one is.
   * @returns why it is the last, where it is.
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
   * Takes back the verdict on the case before, where the next one shows that it is to blame.
   *
   * @returns why there are to be no others, where that is so.
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

  /** Why a run ends that is to end with a failure. */
  #failure({ id, direction }: CaseRun, { outcome }: Verdict): string | undefined {
    const { failFast, strict } = this.#options;
    const code = exitCode(this.#counts, strict);
    const isFailure = code === EXIT.failed || code === EXIT.broken;
    return failFast !== undefined && isFailure
      ? `${failFast}: ${id} (${direction}) is ${outcome}`
      : undefined;
  }

  /** Goes on with other kernels, on which no case has run. */
  cleaned(): void {
    this.harms.cleaned();
    this.#previous = undefined;
  }

  /** What a kernel that died had logged. */
  async causes(): Promise<readonly string[]> {
    return await this.#options.postMortem?.() ?? [];
  }
}

/** A verdict on a case during which an end was lost: a kernel that died of it fails it. */
function withCause(found: Verdict, died: readonly string[]): Verdict {
  if (died.length === 0) return found;
  return { ...found, outcome: "fail", reasons: [...died, ...found.reasons] };
}

/** Whether a process died in a case. */
export function hasDied({ sides }: Verdict): boolean {
  return sides !== undefined && (sides.client.died ?? sides.server.died ?? false);
}
