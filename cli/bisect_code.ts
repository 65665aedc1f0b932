/**
 * The exit codes of `git bisect run` (git-bisect(1)), and which one a report stands for.
 *
 * @module
 */
import type { Outcome } from "../core/outcome.ts";
import { type RunReport, verdictsOf } from "../report/model.ts";

/** The exit codes of `git bisect run`. */
export const BISECT_EXIT = {
  good: 0,
  bad: 1,
  /** It cannot be tested: git skips the commit. */
  unknown: 125,
  /** It makes no sense to go on: git stops. */
  stop: 128,
} as const;

const BAD: ReadonlySet<Outcome> = new Set(["fail", "timeout", "warn"]);
const GOOD: ReadonlySet<Outcome> = new Set(["pass", "retried"]);

/**
 * What a report says of its kernel: bad where a claim failed, a SHOULD too; good where all that ran
 * passed; otherwise unknown: nothing ran, or something was broken.
 */
export function bisectCode(report: RunReport): 0 | 1 | 125 {
  const outcomes = verdictsOf(report).map(({ outcome }) => outcome);
  if (outcomes.some((outcome) => BAD.has(outcome))) return BISECT_EXIT.bad;
  const isWhole = report.stopped === undefined && report.notStarted === undefined;
  const judged = outcomes.filter((outcome) => outcome !== "skip");
  const isGood = judged.length > 0 && judged.every((outcome) => GOOD.has(outcome));
  return isWhole && isGood ? BISECT_EXIT.good : BISECT_EXIT.unknown;
}
