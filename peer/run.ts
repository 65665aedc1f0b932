/**
 * A run: the cases of a plan from the first to the last, once or in several rounds, as events.
 *
 * @module
 */
import type { CaseRun, EventSink } from "../core/event.ts";
import { type Counts, exitCode, noCounts, type Outcome, type Verdict } from "../core/outcome.ts";
import type { Planned, Topology } from "../core/plan.ts";
import { reasonOf } from "../core/reason.ts";
import { type Round, type RoundOptions, roundsOf } from "../core/round.ts";
import { type Ends, runCase } from "./controller.ts";

/** How a run is made. */
export interface RunOptions extends RoundOptions {
  /** How the two ends are connected. */
  readonly topology: Topology;
  /** What to run, in order. */
  readonly plan: readonly Planned[];
  /** The two ends. */
  readonly ends: Ends;
  /** The AF_VSOCK port of the server; the next one is used as well. */
  readonly port: number;
  /** A case's usual deadline, in milliseconds. */
  readonly timeout: number;
  /** Ends the run with the first verdict that makes it fail. */
  readonly untilFailure?: boolean | undefined;
  /** Whether a warning makes it fail. */
  readonly strict?: boolean | undefined;
  /** Is told what happens. */
  readonly sink: EventSink;
  /** Stops the run; the verdicts so far count. */
  readonly stop?: AbortSignal | undefined;
  /** What a verdict is in the light of what is known to fail. */
  readonly judge?: ((run: CaseRun, verdict: Verdict) => Verdict) | undefined;
  /** Says, where an end was lost, what its kernel died of, if that is known: one line each. */
  readonly postMortem?: (() => Promise<readonly string[]>) | undefined;
}

/** What came of a run. */
export interface RunResult {
  /** Of the verdicts of all rounds. */
  readonly counts: Counts;
  /** Why it ended before its plan did, if so. */
  readonly stopped?: string;
}

/** Runs a plan; the event `run-stopped` says where and why it ended before its end, if it did. */
export async function runPlan(options: RunOptions): Promise<RunResult> {
  return await new Run(options).all();
}

class Run {
  readonly #options: RunOptions;
  readonly #counts: Record<Outcome, number> = noCounts();
  /** How many cases the ends were told to run. */
  #ordered = 0;
  #stopped: string | undefined;
  #lost: { readonly lost?: true } = {};

  constructor(options: RunOptions) {
    this.#options = options;
  }

  async all(): Promise<RunResult> {
    const { plan, ends, sink, topology, seed, repeat = 1 } = this.#options;
    const started = performance.now();
    const facts = topology === "loopback" ? [ends.host.facts] : [ends.host.facts, ends.guest.facts];
    sink({ type: "run-start", topology, seed, total: plan.length, ends: facts });
    for (const round of roundsOf(plan, this.#options)) {
      if (repeat > 1) {
        const rounds = repeat === Infinity ? {} : { rounds: repeat };
        sink({ type: "round-start", round: round.number, seed: round.seed, ...rounds });
      }
      const left = await this.#round(round);
      if (this.#stopped === undefined) continue;
      sink({ type: "run-stopped", reason: this.#stopped, notRun: left, ...this.#lost });
      break;
    }
    const counts = this.#counts;
    sink({ type: "run-end", counts, milliseconds: Math.round(performance.now() - started) });
    return { counts, ...(this.#stopped === undefined ? {} : { stopped: this.#stopped }) };
  }

  /** Runs a round, and gives the number of its cases that did not run. */
  async #round(round: Round): Promise<number> {
    const { stop } = this.#options;
    for (const [i, planned] of round.plan.entries()) {
      if (stop?.aborted) this.#stopped = reasonOf(stop.reason);
      if (this.#stopped !== undefined) return round.plan.length - i;
      const ended = await this.#case(planned, i + 1, round);
      if (!ended) return round.plan.length - i;
    }
    return 0;
  }

  /** Runs a case, and says whether it came to a verdict. */
  async #case(planned: Planned, number: number, { seed }: Round): Promise<boolean> {
    const { sink, stop } = this.#options;
    const run: CaseRun = { number, id: planned.case.id, direction: planned.direction };
    sink({ type: "case-start", run, title: planned.case.title });
    try {
      const order = { ...this.#options, seed, run: ++this.#ordered };
      const deaths = this.#deaths;
      const found = await runCase(planned, order);
      await this.#ended(planned, run, found, this.#deaths > deaths);
    } catch (error) {
      if (stop?.aborted !== true) throw error;
      this.#stopped = reasonOf(stop.reason);
      return false;
    }
    return true;
  }

  /** How often an end was lost so far. */
  get #deaths(): number {
    const { host, guest } = this.#options.ends;
    return host.deaths + guest.deaths;
  }

  /**
   * Takes a verdict. Without one of its ends the run cannot go on; with an end that came back it
   * does, also where that was its kernel's death.
   *
   * @param broke whether an end was lost in this case.
   */
  async #ended(planned: Planned, run: CaseRun, found: Verdict, broke: boolean): Promise<void> {
    const { ends, judge, postMortem } = this.#options;
    const lost = ends.host.lost ?? ends.guest.lost;
    const died = broke || lost !== undefined ? await postMortem?.() ?? [] : [];
    if (lost === undefined && died.length === 0) {
      return this.#verdict(planned, run, judge?.(run, found) ?? found);
    }
    if (lost !== undefined) {
      this.#stopped = lost;
      this.#lost = { lost: true };
    }
    this.#verdict(planned, run, {
      ...found,
      outcome: died.length > 0 ? "fail" : found.outcome,
      reasons: [...died, ...found.reasons],
    });
  }

  #verdict(planned: Planned, run: CaseRun, verdict: Verdict): void {
    const { sink, untilFailure, strict } = this.#options;
    this.#counts[verdict.outcome]++;
    sink({ type: "case-end", run, title: planned.case.title, verdict });
    if (untilFailure && exitCode(this.#counts, strict) !== 0) {
      this.#stopped ??= `--until-failure: ${run.id} (${run.direction}) is ${verdict.outcome}`;
    }
  }
}
