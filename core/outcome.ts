/**
 * Outcomes: the report of one side of a case, and the verdict from both sides' reports.
 *
 * @module
 */
import type { Level, Role } from "./case.ts";
import type { Held } from "./leak_check.ts";
import type { Splat } from "./splat.ts";
import type { Harm } from "./taint.ts";

/** How one side of a case ended. */
export type SideState =
  /** All its checks passed. */
  | "pass"
  /** A check failed. */
  | "fail"
  /** It did not end before its deadline. */
  | "timeout"
  /** Something that its checks depend on failed, such as setup. */
  | "broken"
  /** It did not begin, because this side lacks a feature that the case needs. */
  | "skip"
  /** It was stopped, because the other side had already decided the verdict. */
  | "stopped";

/** The report of one side of a case. */
export interface SideReport {
  /** How it ended. */
  readonly state: SideState;
  /** Why, if it did not pass: one line each. */
  readonly reasons: readonly string[];
  /** Its last step. */
  readonly step: string;
  /** How long it took, in milliseconds. */
  readonly milliseconds: number;
  /** Set if its process died; what the other side observed then means nothing. */
  readonly died?: true;
  /** Faults that its kernel logged meanwhile; undefined if there were none. */
  readonly splats?: readonly Splat[];
  /** Faults logged before it began, while nothing was running: the previous case caused them. */
  readonly earlier?: readonly Splat[];
  /** How its kernel was harmed since the run began, if it was. */
  readonly harm?: Harm;
  /** What its kernel holds now, if that was checked. */
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
   * It passed, but only in a rerun: the first time its machine was lost before anything was judged,
   * for a reason unrelated to the kernel under test.
   */
  | "retried"
  /** It failed, as predicted by a baseline. */
  | "expected-fail"
  /** It passed, although a baseline predicts a failure. */
  | "unexpected-pass";

/** A verdict with both sides' reports. */
export interface Verdict {
  /** The outcome. */
  readonly outcome: Outcome;
  /** Why, if it is not a pass: one line each, which name the side they come from. */
  readonly reasons: readonly string[];
  /** How long the longer side took, in milliseconds. */
  readonly milliseconds: number;
  /** Both sides' reports, if the case ran. */
  readonly sides?: Readonly<Record<Role, SideReport>>;
}

/** The side states that decide a verdict, by decreasing precedence. */
const DECIDING: readonly (SideState & Outcome)[] = ["fail", "timeout", "broken", "skip"];

/** Combines both sides' reports. A fault in a kernel is a failure, whatever the sides report. */
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
    // If a feature is missing, what the other side did meanwhile means nothing.
    if (decided === "skip" && state !== "skip") return [];
    if (state === "pass") return [`${names[role]}: passed`];
    const last = step === "" ? [] : [`${names[role]}: last step: ${step}`];
    return [...reasons.map((reason) => `${names[role]}: ${reason}`), ...last];
  });
  if (faults.length > 0) {
    return { outcome: "fail", reasons: [...faults, ...reasons], milliseconds, sides };
  }
  // A side was stopped although the other did not fail, so the run itself went wrong.
  const outcome = decided ?? "broken";
  const warns = outcome === "fail" && level === "should";
  return { outcome: warns ? "warn" : outcome, reasons, milliseconds, sides };
}

/** The faults that the kernels reported, quoted; only once if both sides are on one kernel. */
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

/** Begins a side's reason that is a line of a picture of what happened, which says why no better. */
export const DRAWN = "| ";

/** Why, on one line: a verdict's reasons without pictures of what happened. */
export function inBrief({ reasons }: Pick<Verdict, "reasons">): string {
  // joinSides() has put the side's name in front.
  return reasons.filter((reason) => !/^[^|]*: \| /.test(reason)).join("; ");
}

/** The number of verdicts with each outcome. */
export type Counts = Readonly<Record<Outcome, number>>;

/** Counts verdicts. */
export function countOutcomes(verdicts: Iterable<Pick<Verdict, "outcome">>): Counts {
  const counts = noCounts();
  for (const { outcome } of verdicts) counts[outcome]++;
  return counts;
}

/** All counts zero. */
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
  /** A case failed, timed out, or passed although a baseline predicts a failure. */
  failed: 1,
  /** A case was broken, or the tool was used incorrectly. */
  broken: 2,
  /** Everything was skipped, so nothing was learned: KSFT_SKIP. */
  skipped: 4,
  /** The lab could not be started: EX_UNAVAILABLE of sysexits.h. */
  unavailable: 69,
  /** Ended by SIGHUP, SIGINT (Ctrl-C) or SIGTERM: 128 plus its number, as in a shell. */
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
  /** Nobody reads its output any more: 128 plus SIGPIPE, as in a shell. */
  unread: 141,
} as const;

/**
 * The exit code of a run with these verdicts.
 *
 * @param strict whether a warning, or a case that was rerun, counts as a failure.
 */
export function exitCode(counts: Counts, strict = false): number {
  const failed = counts.fail + counts.timeout + counts["unexpected-pass"];
  if (failed > 0 || strict && counts.warn + counts.retried > 0) return EXIT.failed;
  if (counts.broken > 0) return EXIT.broken;
  const { skip, ...others } = counts;
  const isIdle = skip > 0 && Object.values(others).every((count) => count === 0);
  return isIdle ? EXIT.skipped : EXIT.ok;
}
