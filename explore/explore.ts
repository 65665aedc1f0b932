/**
 * Exploring: draws programs, has them played, and judges what they answered, until the time is over
 * or an answer is not allowed. What was found is then made small, and played again.
 *
 * @module
 */
import {
  type CallName,
  type MachineName,
  NO_SOCKET,
  type SocketCall,
} from "../core/socket_call.ts";
import type { Played, Program } from "../control/puppet_wire.ts";
import { DEVIATION_IDS, type DeviationId } from "../model/deviations.ts";
import { Excuses } from "../model/excuses.ts";
import { RULE_IDS, type RuleId } from "../model/rules.ts";
import { type DrawOptions, drawProgram } from "./draw.ts";
import { type Breach, judge, type Verdict } from "./judge.ts";
import { pairOf } from "./seen.ts";
import { shrink } from "./shrink.ts";

/** Who makes the calls. */
export interface Player {
  /** Plays a program; several may be given before the first has ended. */
  play(program: Program): Promise<Played>;
}

/** How to explore. */
export interface ExploreOptions extends Omit<DrawOptions, "seen" | "excuses"> {
  readonly player: Player;
  /** For how long programs are drawn, in milliseconds. */
  readonly milliseconds: number;
  /** No more programs than these. */
  readonly programs?: number;
  /** `uname -r` of the kernels, by which deviations are known. */
  readonly kernels: readonly string[];
  /** Takes no deviation. */
  readonly strict?: boolean | undefined;
  readonly stop?: AbortSignal;
  /** How long making a finding small may take, in milliseconds; 30 s where this is missing. */
  readonly shrinkTime?: number;
  /** How many programs are on their way to the player at once; {@linkcode AHEAD} if missing. */
  readonly ahead?: number;
  /** Is given each program that was played, in order. */
  readonly onPlayed?: (seed: number, calls: readonly SocketCall[], played: Played) => void;
}

/** An answer that is not allowed, made small. */
export interface Finding {
  /** The seed of the program in which it was found. */
  readonly seed: number;
  /** The calls that are left, the last of which is answered wrongly. */
  readonly calls: readonly SocketCall[];
  readonly played: Played;
  readonly breach: Breach;
  /** Whether all that was wrong is that something took too long: on a busy machine it may. */
  readonly isLate: boolean;
  /** How many calls there were before. */
  readonly before: number;
  /** In how many of how many times that it was played again it happened. */
  readonly again: readonly [happened: number, played: number];
}

/** What exploring came to. */
export interface Exploration {
  readonly seed: number;
  readonly programs: number;
  readonly calls: number;
  /** How long it took without making anything small, in milliseconds. */
  readonly milliseconds: number;
  /** How often each call was made in each state, by {@linkcode pairOf}. */
  readonly pairs: ReadonlyMap<string, number>;
  readonly rules: ReadonlyMap<RuleId, number>;
  /** Which rules were reached with which of two machines as the one that listens. */
  readonly served: Readonly<Record<MachineName, ReadonlySet<RuleId>>>;
  /** The rules of which it would have been found if they had been wrong. */
  readonly exposed: ReadonlySet<RuleId>;
  readonly deviations: ReadonlyMap<DeviationId, number>;
  readonly finding?: Finding;
}

/** How many programs are on their way to the player, so that it need not wait. */
const AHEAD = 3;
/** How long making a finding small may take, in milliseconds. */
const SHRINK_TIME = 30_000;
/** How often a finding is played again. */
export const AGAIN = 10;

/**
 * Explores until the time is over, `stop` is aborted, or something is found.
 *
 * @throws whatever the player throws: a puppet that is lost.
 */
export async function explore(options: ExploreOptions): Promise<Exploration> {
  const { player, milliseconds, programs = Infinity, seed, stop, onPlayed, ahead = AHEAD } =
    options;
  const tally = new Tally(options);
  const began = performance.now();
  const under: { seed: number; calls: SocketCall[]; played: Promise<Played> }[] = [];
  const isOver = () =>
    stop?.aborted === true || performance.now() - began >= milliseconds ||
    tally.programs + under.length >= programs;
  let next = seed;
  for (;;) {
    while (under.length < ahead && !isOver()) {
      const calls = drawProgram({
        ...options,
        seed: next,
        seen: tally.pairs,
        excuses: tally.drawing,
      });
      const played = player.play({ calls });
      // Whoever waits for it sees how it failed.
      played.catch(() => {});
      under.push({ seed: next, calls, played });
      next = next + 1 >>> 0;
    }
    const first = under.shift();
    if (first === undefined) return tally.result(performance.now() - began);
    const played = await first.played;
    onPlayed?.(first.seed, first.calls, played);
    const { breach } = tally.take(first.calls, played);
    if (breach === undefined) continue;
    const passed = performance.now() - began;
    await Promise.all(under.map(({ played }) => played));
    const isLate = played.stalled !== undefined || played.answers[breach.at]?.errno === "ETIMEDOUT";
    const small = await smallest(first, breach, options, tally);
    return { ...tally.result(passed), finding: { ...small, isLate } };
  }
}

/** Counts what was reached. */
class Tally {
  readonly pairs = new Map<string, number>();
  readonly rules = new Map<RuleId, number>();
  readonly served = { host: new Set<RuleId>(), guest: new Set<RuleId>() };
  readonly exposed = new Set<RuleId>();
  readonly deviations = new Map<DeviationId, number>();
  /** Those by which programs are drawn: the same whatever the kernel is. */
  readonly drawing = new Excuses(["K-2"]);
  programs = 0;
  calls = 0;
  readonly #options: ExploreOptions;

  constructor(options: ExploreOptions) {
    this.#options = options;
  }

  excuses(): Excuses {
    const { strict = false, kernels } = this.#options;
    return strict ? new Excuses([]) : Excuses.of(kernels);
  }

  /** Judges a program, and counts it. */
  take(calls: readonly SocketCall[], played: Played): Verdict {
    const excuses = this.excuses();
    const verdict = this.judge(calls, played, excuses);
    this.programs++;
    this.calls += played.answers.length;
    for (const { call, state, rules, server } of verdict.steps) {
      count(this.pairs, pairOf(state, call));
      rules.forEach((rule) => count(this.rules, rule));
      if (server !== undefined) rules.forEach((rule) => this.served[server].add(rule));
    }
    if (played.stalled === undefined) count(this.rules, "soon/arrives");
    for (const [id, often] of excuses.counts) count(this.deviations, id, often);
    if (verdict.breach === undefined) this.#expose(calls, played, verdict);
    return verdict;
  }

  /**
   * Judges a program again, by rules that are wrong, for each that it reached and of which it is not
   * yet known that it matters.
   */
  #expose(calls: readonly SocketCall[], played: Played, { steps }: Verdict): void {
    const reached = new Set([...steps.flatMap(({ rules }) => rules), "soon/arrives" as const]);
    for (const mutant of reached.difference(this.exposed)) {
      const { breach } = judge(calls, played, { excuses: this.excuses(), mutant });
      if (breach?.rules.includes(mutant)) this.exposed.add(mutant);
    }
  }

  judge(calls: readonly SocketCall[], played: Played, excuses = this.excuses()): Verdict {
    return judge(calls, played, { excuses });
  }

  result(milliseconds: number): Exploration {
    const { pairs, rules, served, exposed, deviations, programs, calls } = this;
    const { seed } = this.#options;
    return { seed, programs, calls, milliseconds, pairs, rules, served, exposed, deviations };
  }
}

function count<T>(counts: Map<T, number>, what: T, often = 1): void {
  counts.set(what, (counts.get(what) ?? 0) + often);
}

/** Makes a finding small, and plays it again. */
async function smallest(
  { seed, calls }: { readonly seed: number; readonly calls: readonly SocketCall[] },
  breach: Breach,
  { player, stop, shrinkTime = SHRINK_TIME }: ExploreOptions,
  tally: Tally,
): Promise<Omit<Finding, "isLate">> {
  const [rule] = breach.rules;
  const attempt = async (some: readonly SocketCall[]) => {
    const played = await player.play({ calls: some });
    const found = tally.judge(some, played).breach;
    return found !== undefined && found.rules[0] === rule ? { played, breach: found } : undefined;
  };
  const until = performance.now() + shrinkTime;
  const isOver = () => stop?.aborted === true || performance.now() > until;
  const few = await shrink(calls.slice(0, breach.at + 1), attempt, isOver);
  let happened = 0;
  let times = 0;
  let last: { played: Played; breach: Breach } | undefined;
  // A machine that is slow plays it once at least.
  const isLate = () => times > 0 && performance.now() > until + shrinkTime;
  for (; times < AGAIN && !isLate(); times++) {
    const found = await attempt(few);
    if (found === undefined) continue;
    happened++;
    last = found;
  }
  const shown = last ?? { played: { answers: few.map(() => NO_ANSWER) }, breach };
  return { seed, calls: few, before: calls.length, again: [happened, times], ...shown };
}

/** Stands for the answers of a finding that did not happen again. */
const NO_ANSWER = { result: -1, errno: NO_SOCKET };

/** The rules that were not reached. */
export function neverReached({ rules }: Pick<Exploration, "rules">): RuleId[] {
  return RULE_IDS.filter((id) => !rules.has(id));
}

/** The rules that were reached, and of which it would not have been found if they had been wrong. */
export function idleRules({ rules, exposed }: Pick<Exploration, "rules" | "exposed">): RuleId[] {
  return RULE_IDS.filter((id) => rules.has(id) && !exposed.has(id));
}

/** The calls that were never made in each state that was reached. */
export function neverMade(
  { pairs }: Pick<Exploration, "pairs">,
  calls: readonly CallName[],
): Map<string, CallName[]> {
  const states = new Set([...pairs.keys()].map((pair) => pair.slice(0, pair.lastIndexOf(": "))));
  states.delete("none");
  const missing = [...states].sort().map((state) =>
    [state, calls.filter((call) => call !== "socket" && !pairs.has(pairOf(state, call)))] as const
  );
  return new Map(missing.filter(([, calls]) => calls.length > 0));
}

/** The deviations that were taken, in the order in which they are written down. */
export function takenDeviations({ deviations }: Pick<Exploration, "deviations">) {
  return DEVIATION_IDS.flatMap((id) => {
    const often = deviations.get(id);
    return often === undefined ? [] : [[id, often] as const];
  });
}
