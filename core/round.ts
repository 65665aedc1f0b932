/**
 * Rounds: repetitions of a plan, possibly shuffled, and the combined verdict of all rounds on each
 * case.
 *
 * @module
 */
import type { CaseInfo } from "./case.ts";
import type { Outcome, Verdict } from "./outcome.ts";
import type { CaseRun } from "./event.ts";
import type { Planned } from "./plan.ts";
import { Random, seedFor } from "./random.ts";

/** How often, and in which order, a plan is run. */
export interface RoundOptions {
  /** The run's seed, which is that of the first round, and from which all others are drawn. */
  readonly seed: number;
  /** The maximum number of rounds; by default one. */
  readonly repeat?: number | undefined;
  /** Whether each direction's cases are shuffled in every round. */
  readonly shuffle?: boolean | undefined;
}

/** One pass through a plan. Everything random depends on its seed, so `--seed` repeats it. */
export interface Round<C extends CaseInfo = CaseInfo> {
  /** Counts from 1. */
  readonly number: number;
  /** The seed of everything random in it. */
  readonly seed: number;
  /** What to run, in order. */
  readonly plan: readonly Planned<C>[];
}

/** Generates the rounds of a run. */
export function* roundsOf<C extends CaseInfo>(
  plan: readonly Planned<C>[],
  { seed, repeat = 1, shuffle = false }: RoundOptions,
): Generator<Round<C>, void> {
  for (let number = 1; number <= repeat; number++) {
    const own = number === 1 ? seed : seedFor(seed, `round ${number}`);
    yield { number, seed: own, plan: shuffle ? shuffled(plan, own) : plan };
  }
}

/** The plan with the cases of each direction in an order determined by the seed. */
function shuffled<C extends CaseInfo>(
  plan: readonly Planned<C>[],
  seed: number,
): readonly Planned<C>[] {
  return [...Map.groupBy(plan, ({ direction }) => direction)].flatMap(([direction, group]) => {
    const random = new Random(seedFor(seed, `order of ${direction}`));
    const mixed = [...group];
    for (let last = mixed.length - 1; last > 0; last--) {
      const other = random.below(last + 1);
      const [a, b] = [mixed[last], mixed[other]];
      if (a !== undefined && b !== undefined) [mixed[last], mixed[other]] = [b, a];
    }
    return mixed;
  });
}

/** Outcomes, the worst first. */
const WORST: readonly Outcome[] = Object.keys(
  {
    fail: true,
    timeout: true,
    "unexpected-pass": true,
    broken: true,
    warn: true,
    retried: true,
    "expected-fail": true,
    skip: true,
    pass: true,
  } satisfies Record<Outcome, true>,
) as Outcome[];

/** How often a case had each outcome. */
export type Outcomes = Readonly<Partial<Record<Outcome, number>>>;

/** A case in a direction. */
type Ran = Pick<CaseRun, "id" | "direction">;

/** A verdict and its round. */
interface RoundVerdict {
  readonly verdict: Verdict;
  readonly round: number;
  readonly seed: number;
}

/** The verdicts on one case, round after round. */
export class CaseRounds {
  readonly #outcomes: Partial<Record<Outcome, number>> = {};
  #rounds = 0;
  #worst: RoundVerdict | undefined;
  #last: RoundVerdict | undefined;

  /** Adds the verdict of a round. */
  add(verdict: Verdict, { number, seed }: Pick<Round, "number" | "seed">): void {
    this.#rounds++;
    this.#take({ verdict, round: number, seed });
  }

  /** Replaces the last verdict by a worse one. */
  amend(verdict: Verdict): void {
    const last = this.#last;
    if (last === undefined) return;
    const { outcome } = last.verdict;
    const left = (this.#outcomes[outcome] ?? 1) - 1;
    if (left > 0) this.#outcomes[outcome] = left;
    else delete this.#outcomes[outcome];
    if (this.#worst === last) this.#worst = undefined;
    this.#take({ ...last, verdict });
  }

  #take(taken: RoundVerdict): void {
    const { outcome } = taken.verdict;
    this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1;
    const before = this.#worst?.verdict.outcome ?? "pass";
    const worse = WORST.indexOf(outcome) < WORST.indexOf(before);
    if (this.#worst === undefined || worse) this.#worst = taken;
    this.#last = taken;
  }

  /** How often the case had each outcome. */
  get outcomes(): Outcomes {
    return this.#outcomes;
  }

  /** Whether it had several outcomes; that it was rerun does not count, as it is not the cause. */
  get flaky(): boolean {
    const outcomes = Object.keys(this.#outcomes).map((name) => name === "retried" ? "pass" : name);
    return new Set(outcomes).size > 1;
  }

  /** The seed that repeats the round of {@linkcode verdict}. */
  get seed(): number | undefined {
    return this.#worst?.seed;
  }

  /** The first of its worst verdicts, with a note if there are better ones. */
  get verdict(): Verdict | undefined {
    if (this.#worst === undefined || !this.flaky) return this.#worst?.verdict;
    const { verdict, round, seed } = this.#worst;
    const counts = WORST.flatMap((outcome) => {
      const count = this.#outcomes[outcome];
      return count === undefined ? [] : [`${outcome} ${count}`];
    });
    const flaky = `flaky in ${this.#rounds} rounds: ${counts.join(", ")}; ` +
      `this is round ${round}, seed ${seed}`;
    return { ...verdict, reasons: [flaky, ...verdict.reasons] };
  }
}

/** The combined verdicts of a run, case by case. */
export class RoundTable {
  readonly #cases = new Map<string, { run: Ran; rounds: CaseRounds }>();

  /** The rounds of a case in a direction. */
  of({ id, direction }: Ran): CaseRounds {
    const name = `${id} ${direction}`;
    const known = this.#cases.get(name)?.rounds;
    if (known !== undefined) return known;
    const rounds = new CaseRounds();
    this.#cases.set(name, { run: { id, direction }, rounds });
    return rounds;
  }

  /** The cases with verdicts, in the order of their first one. */
  all(): { run: Ran; rounds: CaseRounds }[] {
    return [...this.#cases.values()];
  }

  /** The cases that had several outcomes. */
  flaky(): { run: Ran; rounds: CaseRounds }[] {
    return this.all().filter(({ rounds }) => rounds.flaky);
  }
}
