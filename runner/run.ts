/**
 * A run: the cases of a plan, one after the other or several in parallel, once or in several
 * rounds, as events.
 *
 * @module
 */
import type { EndFacts } from "../core/event.ts";
import type { Counts, Verdict } from "../core/outcome.ts";
import type { Planned, Topology } from "../core/plan.ts";
import { reasonOf } from "../core/error.ts";
import { type Round, type RoundOptions, roundsOf } from "../core/round.ts";
import { NOTHING_LEFT, Unchecked } from "../core/parallel_leaks.ts";
import type { Splat } from "../core/splat.ts";
import { type CheckOptions, checksLeaks, LeakChecker } from "./leak_check.ts";
import { hasDied, type Item, type VerdictOptions, Verdicts } from "./verdicts.ts";
import { PORT_STRIDE } from "../control/wire.ts";

/** How a run is made. */
export interface RunOptions extends RoundOptions, VerdictOptions {
  /** How the two ends are connected. */
  readonly topology: Topology;
  /** What to run, in order. */
  readonly plan: readonly Planned[];
  /** The AF_VSOCK port of the server; a few behind it are used as well. */
  readonly port: number;
  /** A case's usual deadline, in milliseconds. */
  readonly timeout: number;
  /** How many cases run at the same time, {@linkcode PORT_STRIDE} ports apart; one if not given. */
  readonly jobs?: number | undefined;
  /** Stops the run; the verdicts so far count. */
  readonly stop?: AbortSignal | undefined;
  /**
   * How often the VMs were lost and recovered without a kernel having logged a reason. What was under
   * way then is run again, since nothing was judged.
   */
  readonly losses?: (() => number) | undefined;
  /**
   * Called when a kernel has had a fault after which nothing found on it can be trusted; replaces the
   * kernels of both ends.
   *
   * @returns whether it could; otherwise the run ends.
   */
  readonly onTainted?: ((why: string) => Promise<boolean>) | undefined;
  /** Runs the rest on such a kernel nevertheless, and notes that in each verdict. */
  readonly keepGoing?: boolean | undefined;
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
  /** How many cases the ends were told to run. */
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
    const { plan, ends, sink, topology, seed, repeat = 1 } = this.#options;
    const started = performance.now();
    const facts = topology === "loopback" ? [ends.host.facts] : [ends.host.facts, ends.guest.facts];
    const faults = await this.#checkBefore();
    const before = facts.map((end, i) => withFaultsBefore(end, faults[i]));
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
    const { counts } = this.#verdicts;
    sink({ type: "run-end", counts, milliseconds: Math.round(performance.now() - started) });
    return { counts, ...(this.#stopped === undefined ? {} : { stopped: this.#stopped }) };
  }

  /** Runs a round, direction by direction, and gives the number of verdicts. */
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
      // What those have leaked is checked first, before an exclusive case is blamed for it.
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

  /** Whether the next case is to begin; where a kernel has gone wrong, on clean ones if they are. */
  async #goesOn(): Promise<boolean> {
    const { harms } = this.#verdicts;
    const { lasting } = harms;
    if (lasting !== undefined && !this.#stops()) {
      const { onTainted, keepGoing } = this.#options;
      if (await onTainted?.(lasting)) {
        this.#verdicts.cleaned();
        await this.#checkBefore();
      } else if (keepGoing) harms.goOn();
      else this.#stopped ??= `${lasting}; --keep-going runs the rest all the same`;
    }
    return !this.#stops();
  }

  /** Whether nothing more is to be begun. */
  #stops(): boolean {
    const { stop } = this.#options;
    if (stop?.aborted) this.#stopped ??= reasonOf(stop.reason);
    return this.#stopped !== undefined;
  }

  /**
   * Runs a case.
   *
   * @param lane which of those that run at the same time.
   * @param again takes it where a process died in it that ran others, too: nobody knows of which.
   * @returns the number of verdicts.
   */
  async #case(item: Item, round: Round, lane: number, again?: Item[]): Promise<number> {
    this.#begun(item);
    const parallel = again !== undefined;
    const verdict = await this.#attempt(item, round, lane, parallel);
    if (verdict === undefined) return 0;
    this.#unchecked.add(item.run, verdict, parallel);
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

  /** Looks for what cases left that ran in parallel, during which a process died or not. */
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

  /** Runs a case alone that has no verdict yet, since a process died that ran it with others. */
  async #again(item: Item, round: Round): Promise<number> {
    const verdict = await this.#attempt(item, round, 0);
    if (verdict === undefined) return 0;
    this.#unchecked.add(item.run, verdict, false);
    await this.#ended(item, retried(verdict, `run again on its own: ${DIED_IN_PARALLEL}`));
    return 1;
  }

  /**
   * Runs a case, alone until its machines last; gives nothing where the run was stopped meanwhile.
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

  /** Looks at both kernels while no case has run yet, and gives the faults of each. */
  async #checkBefore(): Promise<readonly (readonly Splat[])[]> {
    const { plan: [first], ends } = this.#options;
    if (first === undefined || !checksLeaks({ ends })) return [];
    const options = this.#checkOptions(this.#options.seed, 0, false);
    const found = await this.#unlessStopped(this.#leakChecker.begin(first.direction, options));
    return found === undefined ? [] : [found.host, found.guest];
  }

  #checkOptions(seed: number, lane: number, parallel: boolean): CheckOptions {
    const port = this.#options.port + PORT_STRIDE * lane;
    return { ...this.#options, seed, parallel, port, next: () => ++this.#ordered };
  }

  /** What something comes to; undefined where the run was stopped meanwhile. */
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

  /** Why the run cannot go on, where an end is lost. */
  #lost(): string | undefined {
    const { host, guest } = this.#options.ends;
    return host.lost ?? guest.lost;
  }

  async #ended(item: Item, found: Verdict): Promise<void> {
    const last = await this.#verdicts.take(item, found, this.#lost());
    this.#stopped ??= last;
  }
}

/** What an end says of itself, with the faults that were found before the first case. */
function withFaultsBefore(end: EndFacts, found: readonly Splat[] = []): EndFacts {
  if (found.length === 0) return end;
  return { ...end, faultsBefore: [...end.faultsBefore ?? [], ...found] };
}

/** Why a case is run again. */
const LOST = "the VMs were lost and no kernel logged a reason";
const DIED_IN_PARALLEL = "a process died while this and other cases were under way";

/** A verdict on a case that was run again: a pass becomes the outcome `retried`. */
function retried(verdict: Verdict, why: string): Verdict {
  const outcome = verdict.outcome === "pass" ? "retried" : verdict.outcome;
  return { ...verdict, outcome, reasons: [...verdict.reasons, why] };
}
