/**
 * A run: the cases of a plan, one after the other or several side by side, once or in several
 * rounds, as events.
 *
 * @module
 */
import type { CaseRun, EventSink } from "../core/event.ts";
import { type Counts, exitCode, noCounts, type Outcome, type Verdict } from "../core/outcome.ts";
import type { Planned, Topology } from "../core/plan.ts";
import { reasonOf } from "../core/reason.ts";
import { type Round, type RoundOptions, roundsOf } from "../core/round.ts";
import { NOTHING_LEFT, Unseen } from "../core/side_by_side.ts";
import { type Ends, runCase } from "./controller.ts";
import { PORT_STRIDE } from "./wire.ts";

/** How a run is made. */
export interface RunOptions extends RoundOptions {
  /** How the two ends are connected. */
  readonly topology: Topology;
  /** What to run, in order. */
  readonly plan: readonly Planned[];
  /** The two ends. */
  readonly ends: Ends;
  /** The AF_VSOCK port of the server; a few behind it are used as well. */
  readonly port: number;
  /** A case's usual deadline, in milliseconds. */
  readonly timeout: number;
  /** How many cases run at the same time, {@linkcode PORT_STRIDE} ports apart; one if not given. */
  readonly jobs?: number | undefined;
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
  /**
   * How often the machines have gone away, and come back, without a word of their kernels. What was
   * under way then is run again, since nothing was judged.
   */
  readonly losses?: (() => number) | undefined;
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

/** A case of a round. */
interface Item {
  readonly planned: Planned;
  readonly run: CaseRun;
}

class Run {
  readonly #options: RunOptions;
  readonly #counts: Record<Outcome, number> = noCounts();
  /** How many cases the ends were told to run. */
  #ordered = 0;
  #stopped: string | undefined;
  readonly #unseen = new Unseen();
  /** What the kernel died of, where an end is lost. */
  #died: Promise<readonly string[]> | undefined;

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
      const left = round.plan.length - await this.#round(round);
      if (this.#stopped === undefined) continue;
      const lost = this.#died === undefined ? {} : { lost: true };
      sink({ type: "run-stopped", reason: this.#stopped, notRun: left, ...lost });
      break;
    }
    const counts = this.#counts;
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
      const lane = async (_: unknown, i: number): Promise<void> => {
        for (let item; !this.#stops() && (item = rest.shift()) !== undefined;) {
          ended += await this.#case(item, round, i, again);
        }
      };
      await Promise.all(Array.from({ length: jobs }, lane));
      // What those have left is looked for first, before a case that is alone is blamed for it.
      const isLook = ({ planned }: Item) => planned.case === NOTHING_LEFT;
      for (const item of group.filter(isLook)) {
        if (!this.#stops()) ended += await this.#look(item, round, again.length > 0);
      }
      for (const item of group.filter((item) => isAlone(item) && !isLook(item))) {
        if (!this.#stops()) ended += await this.#case(item, round, 0);
      }
      for (const item of again) {
        if (!this.#stops()) ended += await this.#again(item, round);
      }
    }
    return ended;
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
    const beside = again !== undefined;
    const verdict = await this.#attempt(item.planned, round, lane, beside);
    if (verdict === undefined) return 0;
    this.#unseen.add(item.run, verdict, beside);
    if (again === undefined || !hasDied(verdict) || this.#lost() !== undefined) {
      await this.#ended(item, verdict);
      return 1;
    }
    // A kernel that died is told when it does so of one case alone; what it said is over with now.
    await this.#causes();
    again.push(item);
    return 0;
  }

  /** Looks for what cases left that ran side by side, during which a process died or not. */
  async #look(item: Item, round: Round, died: boolean): Promise<number> {
    this.#begun(item);
    const found = await this.#attempt(item.planned, round, 0);
    if (found === undefined) return 0;
    await this.#ended(item, this.#unseen.look(item.run, found, died));
    return 1;
  }

  #begun({ planned, run }: Item): void {
    this.#options.sink({ type: "case-start", run, title: planned.case.title });
  }

  /** Runs a case alone that has no verdict yet, since a process died that ran it with others. */
  async #again(item: Item, round: Round): Promise<number> {
    const verdict = await this.#attempt(item.planned, round, 0);
    if (verdict === undefined) return 0;
    this.#unseen.add(item.run, verdict, false);
    const why = "run again, alone: a process died while this and other cases were under way";
    await this.#ended(item, withNote(verdict, why));
    return 1;
  }

  /**
   * Runs a case, alone until its machines last; gives nothing where the run was stopped meanwhile.
   */
  async #attempt(
    planned: Planned,
    { seed }: Round,
    lane: number,
    beside = false,
  ): Promise<Verdict | undefined> {
    const { port, stop, losses = () => 0 } = this.#options;
    const before = losses();
    try {
      for (;;) {
        const last = losses();
        const own = { seed, beside, port: port + PORT_STRIDE * lane, run: ++this.#ordered };
        const verdict = await runCase(planned, { ...this.#options, ...own });
        const isVoid = !beside && hasDied(verdict) && losses() > last;
        if (!isVoid) return last > before ? withNote(verdict, LOST) : verdict;
      }
    } catch (error) {
      if (stop?.aborted !== true) throw error;
      this.#stopped ??= reasonOf(stop.reason);
      return undefined;
    }
  }

  /** Why the run cannot go on, where an end is lost. */
  #lost(): string | undefined {
    const { host, guest } = this.#options.ends;
    return host.lost ?? guest.lost;
  }

  /** Takes a verdict. An end that came back may have lost its kernel, too. */
  async #ended({ planned, run }: Item, found: Verdict): Promise<void> {
    const { sink, judge, untilFailure, strict } = this.#options;
    const lost = this.#lost();
    let died: readonly string[] = [];
    if (lost !== undefined) died = await (this.#died ??= this.#causes());
    else if (hasDied(found)) died = await this.#causes();
    const verdict = withCause(lost === undefined ? judge?.(run, found) ?? found : found, died);
    this.#stopped ??= lost;
    this.#counts[verdict.outcome]++;
    sink({ type: "case-end", run, title: planned.case.title, verdict });
    if (untilFailure && exitCode(this.#counts, strict) !== 0) {
      this.#stopped ??= `--until-failure: ${run.id} (${run.direction}) is ${verdict.outcome}`;
    }
  }

  /** What a kernel said that died, if one did. */
  async #causes(): Promise<readonly string[]> {
    return await this.#options.postMortem?.() ?? [];
  }
}

/** What is said of a case whose machines did not last. */
const LOST = "run again: its machines had gone away, and no kernel said why";

function withNote(verdict: Verdict, note: string): Verdict {
  return { ...verdict, reasons: [...verdict.reasons, note] };
}

/** A verdict on a case during which an end was lost: a kernel that died of it fails it. */
function withCause(found: Verdict, died: readonly string[]): Verdict {
  if (died.length === 0) return found;
  return { ...found, outcome: "fail", reasons: [...died, ...found.reasons] };
}

/** Whether a process died in a case. */
function hasDied({ sides }: Verdict): boolean {
  return sides !== undefined && (sides.client.died ?? sides.server.died ?? false);
}
