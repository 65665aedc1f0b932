/**
 * Small pieces of text that several outputs share.
 *
 * @module
 */
import type { EndFacts } from "../core/event.ts";
import type { Counts, Outcome, Verdict } from "../core/outcome.ts";
import type { Direction } from "../core/plan.ts";
import { countsOf, type RunReport, verdictsOf } from "./model.ts";
import { duration } from "../core/duration.ts";

/** What a direction means, for people. */
export const DIRECTION_TEXT: Readonly<Record<Direction, string>> = {
  "host-server": "the host accepts, the guest connects",
  "guest-server": "the guest accepts, the host connects",
  loopback: "both sides on one kernel",
};

/** An end as one phrase: `guest: Linux 7.3.4 x86_64, CID 3`. */
export function endText(
  { name, kernel, machine, localCid, localCids, unwatched, leaks }: EndFacts,
): string {
  const cids = localCids ?? (localCid === undefined || localCid === 0xffffffff ? [] : [localCid]);
  const cid = cids.length === 0 ? "" : `, CID ${cids.join(", ")}`;
  const log = unwatched === undefined ? "" : `; its kernel's log is not watched: ${unwatched}`;
  const watched = leaks === undefined ? "" : `; watched for leaks: ${leaks.watched.join(", ")}`;
  return `${name}: Linux ${kernel} ${machine}${cid}${log}${watched}`;
}

const COUNT_WORDS: Readonly<Record<Outcome, string>> = {
  pass: "passed",
  fail: "failed",
  timeout: "timed out",
  broken: "broken",
  warn: "warned",
  retried: "retried",
  skip: "skipped",
  "expected-fail": "failed as expected",
  "unexpected-pass": "passed unexpectedly",
};

/** Counts as one line: always how many passed and failed, the others where there are any. */
export function countsText(counts: Partial<Counts>): string {
  const outcomes = Object.keys(COUNT_WORDS) as Outcome[];
  return outcomes
    .filter((outcome) => outcome === "pass" || outcome === "fail" || counts[outcome])
    .map((outcome) => `${counts[outcome] ?? 0} ${COUNT_WORDS[outcome]}`)
    .join(", ");
}

/** What each side of a case did, as one line: its state, its time, and its last step, if any. */
export function sidesText({ sides }: Pick<Verdict, "sides">): string[] {
  return Object.entries(sides ?? {}).map(([role, { state, milliseconds, step }]) =>
    `${role}: ${state} after ${duration(milliseconds)}${step === "" ? "" : `, last step: ${step}`}`
  );
}

/** A run in a phrase: its counts, and why it ended early where it did. */
export function headline({ cases, stopped, notStarted }: RunReport): string {
  if (notStarted !== undefined) return `did not start: ${notStarted.reason}`;
  const left = cases.length - verdictsOf({ cases }).length;
  const early = stopped === undefined
    ? ""
    : `; stopped: ${stopped.reason} (${left} cases did not run)`;
  return `${countsText(countsOf({ cases }))}${early}`;
}

/**
 * The reasons of a verdict that no side gave: a fault of a kernel, a baseline, that it ran again.
 */
export function reasonsOfNeither({ reasons, sides }: Verdict): string[] {
  const said = Object.values(sides ?? {}).flatMap(({ reasons }) => reasons);
  return reasons.filter((reason) =>
    !said.some((of) => reason.endsWith(`: ${of}`)) && !/^[^:]+: (passed$|last step: )/.test(reason)
  );
}

/** A verdict's reasons, first the one that decided it: the other side may have passed or waited. */
export function decisiveFirst({ outcome, reasons, sides }: Verdict): string[] {
  // What is known, or that it passed, is said in front of what the sides say.
  if (outcome === "expected-fail" || outcome === "unexpected-pass") return [...reasons];
  const state = outcome === "warn" ? "fail" : outcome;
  const decided = Object.values(sides ?? {}).find((side) => side.state === state)?.reasons[0];
  const at = reasons.findIndex((reason) => decided !== undefined && reason.endsWith(decided));
  return at < 0 ? [...reasons] : [...reasons.slice(at, at + 1), ...reasons.toSpliced(at, 1)];
}
