/**
 * Runs a case and checks for leaks: when both sides have ended, the ends check their kernels. A
 * count may have grown for other reasons, so the case is then rerun to see whether it grows every
 * time.
 *
 * @module
 */
import { type Growth, type Held, Holdings, isLeak, leakText } from "../core/leak_check.ts";
import type { Role } from "../core/case.ts";
import type { SideReport, Verdict } from "../core/outcome.ts";
import type { Planned } from "../core/plan.ts";
import { NOTHING_LEFT } from "../core/parallel_leaks.ts";
import type { Splat } from "../core/splat.ts";
import { type CaseOptions, judgeSides, rolesOf, runSides, type Sides } from "./case.ts";
import type { End } from "./end.ts";

/** Options for running a case, without the number of the run. */
export interface CheckOptions extends Omit<CaseOptions, "run"> {
  /** Gives the next number of a run. */
  readonly next: () => number;
}

/** A case that was run and checked for leaks. */
export interface Checked {
  readonly verdict: Verdict;
  /** Faults that the previous case caused. */
  readonly earlier: Sides;
}

/** Faults in each end's kernel before the first case. */
export interface FaultsBefore {
  readonly host: readonly Splat[];
  readonly guest: readonly Splat[];
}

/** The reason added if a rerun did not pass. */
const REPEATED = "this is from a rerun of the case, which had passed, to see whether it leaks";

/**
 * How far a count may grow during cases that run in parallel; unrelated growth is smaller. These
 * cases are not rerun, since all of them would have to be, at least twice, for growth that may be
 * unrelated. So smaller growth is reported, but not judged to be a leak.
 */
const PARALLEL_SLACK = 128;

const ROLES: readonly Role[] = ["client", "server"];
const NO_FAULTS: SideReport = { state: "pass", reasons: [], step: "", milliseconds: 0 };

/** Both sides' reports, and the growth on each end. */
interface Attempt {
  readonly sides: Sides;
  readonly grown: Readonly<Record<Role, readonly Growth[]>>;
}

/** Runs cases and checks each for leaks, one after the other. */
export class LeakChecker {
  readonly #holdings = new WeakMap<End, { holdings: Holdings; deaths: number }>();

  /**
   * Looks at both ends' kernels before the first case.
   *
   * @returns the faults of each kernel, which no case caused.
   */
  async begin(direction: Planned["direction"], options: CheckOptions): Promise<FaultsBefore> {
    const sides = await runSides(leakCheckIn(direction), { ...options, run: options.next() });
    this.#take(direction, options, sides);
    const { client } = rolesOf(direction, options.ends);
    const [of, other] = client === options.ends.guest ? ["server", "client"] as const : [
      "client",
      "server",
    ] as const;
    const faults = ({ splats = [], earlier = [] }: SideReport) => [...splats, ...earlier];
    return { host: faults(sides[of]), guest: faults(sides[other]) };
  }

  /** Runs a case of a plan, and checks for leaks if an end does. */
  async run(planned: Planned, options: CheckOptions): Promise<Checked> {
    const first = await this.#attempt(planned, options);
    const earlier = onBoth(({ earlier = [] }) => ({ ...NO_FAULTS, splats: earlier }), first.sides);
    const sides = onBoth(({ earlier: _, held: __, ...rest }) => rest, first.sides);
    let verdict = judgeSides(planned, options.ends, sides);
    if (planned.case.id === NOTHING_LEFT.id) {
      const all = onBoth((side, role) => withSplats(side, first.sides[role].earlier), sides);
      const leaks = onBoth((side, role) => withSplats(side, parallelLeaks(first.grown[role])), all);
      const judged = judgeSides(planned, options.ends, leaks);
      const notes = judged.outcome === "pass" ? notesOn(planned, options.ends, first.grown) : [];
      const verdict = { ...judged, reasons: [...judged.reasons, ...notes] };
      return { verdict, earlier: NOBODYS };
    }
    let { grown } = first;
    while (holds(verdict) && ROLES.some((role) => grown[role].some(isUnsure))) {
      const again = await this.#attempt(planned, options, grown);
      grown = again.grown;
      // Faults between its own runs are the case's, too.
      const own = onBoth(
        ({ earlier, held: _, ...side }) => withSplats(side, earlier),
        again.sides,
      );
      const judged = judgeSides(planned, options.ends, own);
      if (!holds(judged)) {
        verdict = { ...judged, reasons: [...judged.reasons, REPEATED] };
      }
    }
    if (!holds(verdict)) return { verdict, earlier };
    const leaky = onBoth((side, role) => withSplats(side, leaksOf(grown[role])), sides);
    return { verdict: judgeSides(planned, options.ends, leaky), earlier };
  }

  /**
   * Runs a case once, and checks for leaks.
   *
   * @param follows the growth in its runs so far.
   */
  async #attempt(
    planned: Planned,
    options: CheckOptions,
    follows?: Attempt["grown"],
  ): Promise<Attempt> {
    const { direction } = planned;
    const run = () => runSides(planned, { ...options, run: options.next() });
    const ran = await run();
    const isLeakCheck = planned.case.id === NOTHING_LEFT.id;
    if (isLeakCheck) return { sides: ran, grown: this.#take(direction, options, ran, follows) };
    if (options.parallel || !checksLeaks(options) || ROLES.some((role) => isIdle(ran[role]))) {
      return { sides: ran, grown: { client: [], server: [] } };
    }
    const found = await runSides(leakCheckIn(direction), { ...options, run: options.next() });
    const sides = onBoth((side, role) => afterCheck(side, found[role]), ran);
    return { sides, grown: this.#take(direction, options, found, follows) };
  }

  /** Adds what both ends hold now. */
  #take(
    direction: Planned["direction"],
    { ends }: CheckOptions,
    sides: Sides,
    follows?: Attempt["grown"],
  ): Attempt["grown"] {
    const roles = rolesOf(direction, ends);
    const grown = (role: Role) => {
      const holdings = this.#holdingsOf(roles[role]);
      const held: readonly Held[] = sides[role].held ?? [];
      return follows === undefined ? holdings.take(held) : holdings.follow(follows[role], held);
    };
    return { client: grown("client"), server: grown("server") };
  }

  /** What an end held last; nothing if it was lost since then, as it may have another kernel. */
  #holdingsOf(end: End): Holdings {
    const known = this.#holdings.get(end);
    if (known !== undefined && known.deaths === end.deaths) return known.holdings;
    const holdings = new Holdings();
    this.#holdings.set(end, { holdings, deaths: end.deaths });
    return holdings;
  }
}

/** Whether an end checks for leaks. */
export function checksLeaks({ ends }: Pick<CheckOptions, "ends">): boolean {
  return [ends.host, ends.guest].some(({ facts }) => facts.leaks !== undefined);
}

function leakCheckIn(direction: Planned["direction"]): Planned {
  return { case: NOTHING_LEFT, direction };
}

/** Whether a side has done nothing that could leak, or is lost. */
function isIdle({ state, died }: SideReport): boolean {
  return state === "skip" || died === true;
}

function holds({ outcome }: Verdict): boolean {
  return outcome === "pass" || outcome === "warn";
}

function isUnsure(growth: Growth): boolean {
  return isLeak(growth) === undefined;
}

function leaksOf(grown: readonly Growth[]): Splat[] {
  return grown.filter((growth) => isLeak(growth) === true).map((growth) => [leakText(growth)]);
}

/** Leaks of cases that ran in parallel. */
function parallelLeaks(grown: readonly Growth[]): Splat[] {
  return grown.flatMap(({ what, grown: [first = 0] }): Splat[] =>
    first > PARALLEL_SLACK ? [[`leak: ${what}: ${first} more than before`]] : []
  );
}

/** Growth after cases that ran in parallel, which may or may not be a leak; one line each. */
function notesOn(
  { direction }: Planned,
  ends: CheckOptions["ends"],
  grown: Attempt["grown"],
): string[] {
  const roles = rolesOf(direction, ends);
  const lines = ROLES.flatMap((role) =>
    grown[role].map(({ what, grown: [first] }) =>
      `${
        roles[role].name
      }: ${what}: ${first} more than before; up to ${PARALLEL_SLACK} may come by ` +
      "themselves, a run without --jobs tells"
    )
  );
  return [...new Set(lines)];
}

function withSplats(side: SideReport, more: readonly Splat[] = []): SideReport {
  return more.length === 0 ? side : { ...side, splats: [...side.splats ?? [], ...more] };
}

/** A side's report with the result of its end's check. If that failed, the side has not passed. */
function afterCheck(side: SideReport, check: SideReport): SideReport {
  const { splats, earlier, harm, died, state, reasons } = check;
  const seen = withSplats(side, splats);
  const decides = died === true || side.state === "pass" && state !== "pass";
  return {
    ...seen,
    ...(earlier === undefined ? {} : { earlier: [...seen.earlier ?? [], ...earlier] }),
    ...(harm === undefined ? {} : { harm }),
    ...(died === undefined ? {} : { died }),
    ...(decides ? { state, reasons: [...side.reasons, ...reasons] } : {}),
  };
}

/** Both sides' reports, each changed by a function. */
function onBoth(change: (side: SideReport, role: Role) => SideReport, sides: Sides): Sides {
  return { client: change(sides.client, "client"), server: change(sides.server, "server") };
}

const NOBODYS: Sides = { client: NO_FAULTS, server: NO_FAULTS };
