/**
 * A run: runs the cases of a plan, one after the other or in parallel, once or in several rounds,
 * and reports events.
 *
 * @module
 */
import type { CaseRun, EndFacts } from "../core/event.ts";
import type { Counts, Verdict } from "../core/outcome.ts";
import type { Planned, Topology } from "../core/plan.ts";
import { reasonOf } from "../core/error.ts";
import { type Round, type RoundOptions, roundsOf } from "../core/round.ts";
import { NOTHING_LEFT, Unchecked } from "../core/parallel_leaks.ts";
import type { Splat } from "../core/splat.ts";
import { type CheckOptions, checksLeaks, LeakChecker } from "./leak_check.ts";
import { hasDied, type Item, type VerdictOptions, Verdicts } from "./verdicts.ts";
import { PORT_STRIDE } from "../control/wire.ts";

/** Looks at the machines when no case is running on them. */
export interface Between {
  /**
   * Called before the first case.
   *
   * @param next gives the next number of an order to an end.
   */
  before(next: () => number): Promise<void>;
  /** Called after each case that ran alone. */
  after(run: CaseRun, next: () => number): Promise<void>;
  /** Called after the last case. */
  end(next: () => number): Promise<void>;
}

/** Options of a run. */
export interface RunOptions extends RoundOptions, VerdictOptions {
  /** How the two ends are connected. */
  readonly topology: Topology;
  /** What to run, in order. */
  readonly plan: readonly Planned[];
  /** The AF_VSOCK port of the server; some of the following ports are used as well. */
  readonly port: number;
  /** A case's usual deadline, in milliseconds. */
  readonly timeout: number;
  /** How many cases run in parallel, {@linkcode PORT_STRIDE} ports apart; by default one. */
  readonly jobs?: number | undefined;
  /** Stops the run if aborted; the verdicts so far count. */
  readonly stop?: AbortSignal | undefined;
  /**
   * How often the VMs were lost and recovered without a kernel having logged a reason. Cases that
   * were running then are rerun, since they were not judged.
   */
  readonly losses?: (() => number) | undefined;
  /**
   * Called after a fault that makes a kernel's results untrustworthy; replaces the kernels of both
   * ends.
   *
   * @returns whether it could; if not, the run ends.
   */
  readonly onTainted?: ((why: string) => Promise<boolean>) | undefined;
  /** Continue on such a kernel, and note that in each verdict. */
  readonly keepGoing?: boolean | undefined;
  readonly between?: Between | undefined;
}

/** The result of a run. */
export interface RunResult {
  /** The number of verdicts in all rounds, by outcome. */
  readonly counts: Counts;
  /** Why it ended before the end of its plan, if it did. */
  readonly stopped?: string;
}

/** Runs a plan; if it ends early, the event `run-stopped` says where and why. */
export async function runPlan(options: RunOptions): Promise<RunResult> {
  return await new Run(options).all();
}

class Run {
  readonly #options: RunOptions;
  /** How many runs of cases the ends were asked for. */
  #ordered = 0;
  #stopped: string | undefined;
  readonly #unchecked = new Unchecked();
  readonly #leakChecker = new LeakChecker();
  readonly #verdicts: Verdicts;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#verdicts = new Verdicts(options);
  }

  async all(): Promise<RunResult> {
    const { plan, ends, sink, topology, seed, repeat = 1, between } = this.#options;
    const started = performance.now();
    const facts = topology === "loopback" ? [ends.host.facts] : [ends.host.facts, ends.guest.facts];
    const faults = await this.#checkBefore();
    const before = facts.map((end, i) => withFaultsBefore(end, faults[i]));
    await between?.before(this.#next);
    sink({ type: "run-start", topology, seed, total: plan.length, ends: before });
    for (const round of roundsOf(plan, this.#options)) {
      if (repeat > 1) {
        const rounds = repeat === Infinity ? {} : { rounds: repeat };
        sink({ type: "round-start", round: round.number, seed: round.seed, ...rounds });
      }
      const left = round.plan.length - await this.#round(round);
      if (this.#stopped === undefined) continue;
      const lost = this.#verdicts.lost ? { lost: true } : {};
      sink({ type: "run-stopped", reason: this.#stopped, notRun: left, ...lost });
      break;
    }
    await between?.end(this.#next);
    const { counts } = this.#verdicts;
    sink({ type: "run-end", counts, milliseconds: Math.round(performance.now() - started) });
    return { counts, ...(this.#stopped === undefined ? {} : { stopped: this.#stopped }) };
  }

  /** Runs a round, direction by direction, and returns the number of verdicts. */
  async #round(round: Round): Promise<number> {
    const { jobs = 1 } = this.#options;
    const items = round.plan.map((planned, i): Item => ({
      planned,
      run: { number: i + 1, id: planned.case.id, direction: planned.direction },
    }));
    let ended = 0;
    for (const group of Map.groupBy(items, ({ run }) => run.direction).values()) {
      const isAlone = ({ planned }: Item) => jobs === 1 || planned.case.alone !== undefined;
      const rest = group.filter((item) => !isAlone(item));
      const again: Item[] = [];
      const isClean = () => this.#verdicts.harms.lasting === undefined;
      const lane = async (_: unknown, i: number): Promise<void> => {
        for (let item; isClean() && !this.#stops() && (item = rest.shift()) !== undefined;) {
          ended += await this.#case(item, round, i, again);
        }
      };
      do await Promise.all(Array.from({ length: jobs }, lane)); while (
        await this.#goesOn() && rest.length > 0
      );
      // Check first what those have leaked, so that no exclusive case is blamed for it.
      const isLeakCheck = ({ planned }: Item) => planned.case === NOTHING_LEFT;
      for (const item of group.filter(isLeakCheck)) {
        if (await this.#goesOn()) ended += await this.#check(item, round, again.length > 0);
      }
      for (const item of group.filter((item) => isAlone(item) && !isLeakCheck(item))) {
        if (await this.#goesOn()) ended += await this.#case(item, round, 0);
      }
      for (const item of again) {
        if (await this.#goesOn()) ended += await this.#again(item, round);
      }
    }
    return ended;
  }

  /** Whether to begin the next case; replaces kernels that can no longer be trusted. */
  async #goesOn(): Promise<boolean> {
    const { harms } = this.#verdicts;
    const { lasting } = harms;
    if (lasting !== undefined && !this.#stops()) {
      const { onTainted, keepGoing } = this.#options;
      if (await onTainted?.(lasting)) {
        this.#verdicts.cleaned();
        await this.#checkBefore();
      } else if (keepGoing) harms.goOn();
      else this.#stopped ??= `${lasting}; --keep-going runs the rest anyway`;
    }
    return !this.#stops();
  }

  /** Whether the run has been stopped. */
  #stops(): boolean {
    const { stop } = this.#options;
    if (stop?.aborted) this.#stopped ??= reasonOf(stop.reason);
    return this.#stopped !== undefined;
  }

  /**
   * Runs a case.
   *
   * @param lane its number among the cases that run in parallel.
   * @param again receives the case if a process died that was also running others, any of which may
   * be the cause.
   * @returns the number of verdicts.
   */
  async #case(item: Item, round: Round, lane: number, again?: Item[]): Promise<number> {
    this.#begun(item);
    const parallel = again !== undefined;
    const verdict = await this.#attempt(item, round, lane, parallel);
    if (verdict === undefined) return 0;
    this.#unchecked.add(item.run, verdict, parallel);
    if (!parallel) await this.#options.between?.after(item.run, this.#next);
    if (again === undefined || !hasDied(verdict) || this.#lost() !== undefined) {
      await this.#ended(item, verdict);
      return 1;
    }
    // A kernel that died is told when it does so of one case alone; what it said is over with now.
    await this.#verdicts.causes();
    this.#retry(item.planned, DIED_IN_PARALLEL);
    again.push(item);
    return 0;
  }

  /** Checks for leaks of cases that ran in parallel. */
  async #check(item: Item, round: Round, died: boolean): Promise<number> {
    this.#begun(item);
    const found = await this.#attempt(item, round, 0);
    if (found === undefined) return 0;
    await this.#ended(item, this.#unchecked.check(item.run, found, died));
    return 1;
  }

  #begun({ planned, run }: Item): void {
    this.#options.sink({ type: "case-start", run, title: planned.case.title });
  }

  /** Reruns a case alone, because a process died that ran it in parallel with others. */
  async #again(item: Item, round: Round): Promise<number> {
    const verdict = await this.#attempt(item, round, 0);
    if (verdict === undefined) return 0;
    this.#unchecked.add(item.run, verdict, false);
    await this.#ended(item, retried(verdict, `run again on its own: ${DIED_IN_PARALLEL}`));
    return 1;
  }

  /**
   * Runs a case, and reruns it if its machines are lost; returns nothing if the run was stopped.
   */
  async #attempt(
    { planned }: Item,
    { seed }: Round,
    lane: number,
    parallel = false,
  ): Promise<Verdict | undefined> {
    const { losses = () => 0 } = this.#options;
    const before = losses();
    for (;;) {
      const lost = losses();
      const options = this.#checkOptions(seed, lane, parallel);
      const checked = await this.#unlessStopped(this.#leakChecker.run(planned, options));
      if (checked === undefined) return undefined;
      const last = this.#verdicts.blame(planned, checked);
      this.#stopped ??= last;
      const { verdict } = checked;
      const isVoid = !parallel && hasDied(verdict) && losses() > lost;
      if (!isVoid) return lost > before ? retried(verdict, `run again: ${LOST}`) : verdict;
      this.#retry(planned, LOST);
    }
  }

  /** Looks at both kernels before the first case, and returns the faults of each. */
  async #checkBefore(): Promise<readonly (readonly Splat[])[]> {
    const { plan: [first], ends } = this.#options;
    if (first === undefined || !checksLeaks({ ends })) return [];
    const options = this.#checkOptions(this.#options.seed, 0, false);
    const found = await this.#unlessStopped(this.#leakChecker.begin(first.direction, options));
    return found === undefined ? [] : [found.host, found.guest];
  }

  #checkOptions(seed: number, lane: number, parallel: boolean): CheckOptions {
    const port = this.#options.port + PORT_STRIDE * lane;
    return { ...this.#options, seed, parallel, port, next: this.#next };
  }

  /** Gives the next number of an order to an end. */
  readonly #next = (): number => ++this.#ordered;

  /** Awaits a promise; undefined if the run was stopped meanwhile. */
  async #unlessStopped<T>(going: Promise<T>): Promise<T | undefined> {
    const { stop } = this.#options;
    try {
      return await going;
    } catch (error) {
      if (stop?.aborted !== true) throw error;
      this.#stopped ??= reasonOf(stop.reason);
      return undefined;
    }
  }

  #retry({ case: { id }, direction }: Planned, why: string): void {
    this.#options.sink({ type: "retry", what: `${id} (${direction})`, why });
  }

  /** Why the run cannot continue, if an end is lost. */
  #lost(): string | undefined {
    const { host, guest } = this.#options.ends;
    return host.lost ?? guest.lost;
  }

  async #ended(item: Item, found: Verdict): Promise<void> {
    const last = await this.#verdicts.take(item, found, this.#lost());
    this.#stopped ??= last;
  }
}

/** The facts about an end, with the faults that were found before the first case. */
function withFaultsBefore(end: EndFacts, found: readonly Splat[] = []): EndFacts {
  if (found.length === 0) return end;
  return { ...end, faultsBefore: [...end.faultsBefore ?? [], ...found] };
}

/** Why a case was rerun. */
const LOST = "the VMs were lost and no kernel logged a reason";
const DIED_IN_PARALLEL = "a process died while this and other cases were running";

/** The verdict on a case that was rerun: a pass becomes `retried`. */
function retried(verdict: Verdict, why: string): Verdict {
  const outcome = verdict.outcome === "pass" ? "retried" : verdict.outcome;
  return { ...verdict, outcome, reasons: [...verdict.reasons, why] };
}
