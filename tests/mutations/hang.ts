/**
 * When a side that had not ended by its deadline is taken to hang, and not to be slow: it stands at
 * the same step again when it is given longer, at the step that it is to hang at, and it came there
 * as it does with sockets that behave as they must.
 *
 * @module
 */
import type { Outcome, SideReport } from "../../core/outcome.ts";

/** A run of a case with a deadline for the side that is to hang. */
export interface Attempt {
  readonly outcome: Outcome;
  /** The side that is to hang; missing where it was not run. */
  readonly hangs?: SideReport | undefined;
  readonly other?: SideReport | undefined;
  /** The steps that the side took, in order. */
  readonly steps: readonly string[];
}

/** What it takes to show that a side hangs. */
export interface Hang {
  /** Runs the case with this deadline, in milliseconds. */
  readonly attempt: (deadline: number) => Promise<Attempt>;
  /** The steps of the same side of a run in which nothing is broken. */
  readonly whole: readonly string[];
  /** What its report must say, with the step it hangs at. */
  readonly reason: RegExp;
  /** Deadlines, the shortest first: two that follow each other must agree. */
  readonly deadlines: readonly number[];
}

/** @returns why it is not shown; undefined where it is. */
export async function proveHang(
  { attempt, whole, reason, deadlines }: Hang,
): Promise<string | undefined> {
  let problem = "it was not run";
  let stoodAt: string | undefined;
  for (const deadline of deadlines) {
    const attempted = await attempt(deadline);
    if (attempted.outcome === "pass") return `it passes within ${deadline} ms, and hangs nowhere`;
    const wrong = complaintAbout(attempted, whole, reason);
    const at = kindOf(attempted.steps.at(-1) ?? "");
    if (wrong === undefined && at === stoodAt) return undefined;
    // On a machine that stood still the deadline may have passed before it hung, or anything did.
    stoodAt = wrong === undefined ? at : undefined;
    problem = wrong ?? `no second deadline found it at "${at}", the last was ${deadline} ms`;
  }
  return problem;
}

/** Why an attempt does not show that the side hangs. */
function complaintAbout(
  { outcome, hangs, other, steps }: Attempt,
  whole: readonly string[],
  reason: RegExp,
): string | undefined {
  if (outcome !== "timeout" || hangs?.state !== "timeout") {
    return `expected timeout, got ${outcome}: ${JSON.stringify(hangs)}`;
  }
  if (other?.state !== "pass" && other?.state !== "stopped") {
    return `the other side was not there for it: ${JSON.stringify(other)}`;
  }
  if (!reason.test(`${hangs.reasons.join("\n")}\nin ${hangs.step}`)) {
    return `it did not hang where it is to, ${reason}: ${JSON.stringify(hangs)}`;
  }
  const at = kindOf(steps.at(-1) ?? "");
  const taken = distinct(steps).filter((step) => step !== at);
  const expected = distinct(whole).filter((step) => step !== at).slice(0, taken.length);
  if (taken.join("\n") === expected.join("\n")) return undefined;
  return `it went another way before: ${taken.join(", ")}; not: ${expected.join(", ")}`;
}

/** The kinds of steps in the order in which they were first taken: a side may wait in a loop. */
function distinct(steps: readonly string[]): string[] {
  return [...new Set(steps.map(kindOf))];
}

/** A step without what differs from run to run: descriptors and ports. */
function kindOf(step: string): string {
  return step.replace(/\(\d+(?=[,)])/, "(fd").replace(/:\d+\)/, ":port)");
}
