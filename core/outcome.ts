/**
 * Outcomes: what one side of a case reports, and the verdict that both sides together give.
 *
 * @module
 */
import type { Level, Role } from "./case.ts";
import type { Held } from "./leak_check.ts";
import type { Splat } from "./splat.ts";
import type { Harm } from "./taint.ts";

/** How one side of a case ended. */
export type SideState =
  /** All its claims held. */
  | "pass"
  /** A claim did not hold. */
  | "fail"
  /** It did not end before its deadline. */
  | "timeout"
  /** What was needed before its claims could be made did not work. */
  | "broken"
  /** It did not begin, since this side lacks a feature that the case needs. */
  | "skip"
  /** It was told to stop, because the other side had already decided the verdict. */
  | "stopped";

/** What one side of a case reports. */
export interface SideReport {
  /** How it ended. */
  readonly state: SideState;
  /** Why, if it did not pass: one line each. */
  readonly reasons: readonly string[];
  /** What it was doing last. */
  readonly step: string;
  /** How long it took, in milliseconds. */
  readonly milliseconds: number;
  /** There where its process died in it; what the other side then saw says nothing. */
  readonly died?: true;
  /** Faults that its kernel reported in its log meanwhile; missing where there were none. */
  readonly splats?: readonly Splat[];
  /** Those that came before it began, when nothing ran any more: the case before is at fault. */
  readonly earlier?: readonly Splat[];
  /** There where its kernel is no longer as it was when the run began. */
  readonly harm?: Harm;
  /** What its kernel holds now, where that was looked at. */
  readonly held?: readonly Held[];
}

/** The verdict on a case, see docs/outcomes.md. */
export type Outcome =
  | "pass"
  | "fail"
  | "warn"
  | "skip"
  | "broken"
  | "timeout"
  /**
   * Held, but only when it was run again: what it ran on was lost the first time, before anything
   * was judged, and not by the kernel under test.
   */
  | "retried"
  /** Did not hold, as a baseline says. */
  | "expected-fail"
  /** Held, though a baseline says that it does not. */
  | "unexpected-pass";

/** A verdict with both sides' view of it. */
export interface Verdict {
  /** What both sides together say. */
  readonly outcome: Outcome;
  /** Why, if it is not a pass: one line each, which name the side they come from. */
  readonly reasons: readonly string[];
  /** How long the longer side took, in milliseconds. */
  readonly milliseconds: number;
  /** Both sides' reports, where the case ran. */
  readonly sides?: Readonly<Record<Role, SideReport>>;
}

/** The side states that decide a verdict, the one that counts most first. */
const DECIDING: readonly (SideState & Outcome)[] = ["fail", "timeout", "broken", "skip"];

/** Joins what the two sides report. A fault of a kernel is a failure, whatever the case says. */
export function joinSides(
  sides: Readonly<Record<Role, SideReport>>,
  level: Level,
  names: Readonly<Record<Role, string>> = { client: "client", server: "server" },
): Verdict {
  const both = [sides.client, sides.server];
  const milliseconds = Math.max(...both.map((side) => side.milliseconds));
  const died = both.find((side) => side.died)?.state;
  const decided = DECIDING.find((state) =>
    died === undefined ? both.some((side) => side.state === state) : state === died
  );
  const stopped = both.some((side) => side.state === "stopped");
  const faults = faultsOf(sides, names);
  if (decided === undefined && !stopped) {
    const outcome = faults.length > 0 ? "fail" : "pass";
    return { outcome, reasons: faults, milliseconds, sides };
  }
  const reasons = (["client", "server"] as const).flatMap((role) => {
    const { state, reasons, step } = sides[role];
    // What the other side did meanwhile says nothing about a feature that is not there.
    if (decided === "skip" && state !== "skip") return [];
    if (state === "pass") return [`${names[role]}: passed`];
    const last = step === "" ? [] : [`${names[role]}: last step: ${step}`];
    return [...reasons.map((reason) => `${names[role]}: ${reason}`), ...last];
  });
  if (faults.length > 0) {
    return { outcome: "fail", reasons: [...faults, ...reasons], milliseconds, sides };
  }
  // A side that was stopped without the other having failed says that the run itself went wrong.
  const outcome = decided ?? "broken";
  const warns = outcome === "fail" && level === "should";
  return { outcome: warns ? "warn" : outcome, reasons, milliseconds, sides };
}

/** What the kernels reported, quoted; once where both sides are on one kernel. */
function faultsOf(
  sides: Readonly<Record<Role, SideReport>>,
  names: Readonly<Record<Role, string>>,
): string[] {
  const seen = new Set<string>();
  return (["client", "server"] as const).flatMap((role) =>
    (sides[role].splats ?? []).flatMap((splat) => {
      const text = splat.join("\n");
      if (seen.has(text)) return [];
      seen.add(text);
      return quoteSplat(splat, names[role]);
    })
  );
}

/** A splat as reasons. */
export function quoteSplat([first = "", ...rest]: Splat, name: string): string[] {
  return [`${name}: its kernel reported: ${first}`, ...rest.map((line) => `| ${line}`)];
}

/** How many verdicts there are of each outcome. */
export type Counts = Readonly<Record<Outcome, number>>;

/** Counts verdicts. */
export function countOutcomes(verdicts: Iterable<Pick<Verdict, "outcome">>): Counts {
  const counts = noCounts();
  for (const { outcome } of verdicts) counts[outcome]++;
  return counts;
}

/** Counts of nothing yet. */
export function noCounts(): Record<Outcome, number> {
  return {
    pass: 0,
    fail: 0,
    warn: 0,
    skip: 0,
    broken: 0,
    timeout: 0,
    retried: 0,
    "expected-fail": 0,
    "unexpected-pass": 0,
  };
}

/** Exit codes, see docs/outcomes.md. */
export const EXIT = {
  ok: 0,
  /** A case failed or timed out, or passed although a baseline says that it does not. */
  failed: 1,
  /** A case could not be prepared, or the tool was not used rightly. */
  broken: 2,
  /** All that was to run was skipped, so that nothing was learnt: what kselftest has for it. */
  skipped: 4,
  /** The lab could not be started: EX_UNAVAILABLE of sysexits.h. */
  unavailable: 69,
  /** Ended by SIGHUP, SIGINT (Ctrl-C) or SIGTERM: 128 and its number, as a shell has it. */
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
  /** Nobody reads its output any more: what a shell has for SIGPIPE. */
  unread: 141,
} as const;

/**
 * The exit code of a run with these verdicts.
 *
 * @param strict whether a warning, and a case that had to be run again, count as a failure does.
 */
export function exitCode(counts: Counts, strict = false): number {
  const failed = counts.fail + counts.timeout + counts["unexpected-pass"];
  if (failed > 0 || strict && counts.warn + counts.retried > 0) return EXIT.failed;
  if (counts.broken > 0) return EXIT.broken;
  const { skip, ...others } = counts;
  const isIdle = skip > 0 && Object.values(others).every((count) => count === 0);
  return isIdle ? EXIT.skipped : EXIT.ok;
}
