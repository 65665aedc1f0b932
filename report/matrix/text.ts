/**
 * Small pieces of text that the page and the Markdown of a matrix share.
 *
 * @module
 */
import type { Outcome } from "../../core/outcome.ts";
import { type RunReport, verdictsOf } from "../model.ts";
import { type Column, issueOf } from "./column.ts";
import type { Cell, Matrix, Pair } from "./model.ts";

const FAILURES: ReadonlySet<Outcome | undefined> = new Set(["fail", "timeout", "unexpected-pass"]);

/** What the matrix is of. */
export function titleText({ columns }: Matrix): string {
  const count = columns.length;
  return count === 1 ? "1 implementation" : `${count} implementations side by side`;
}

/** How much there is, and when it was run. */
export function leadText({ columns, families }: Matrix): string {
  const cases = families.reduce((sum, { rows }) => sum + rows.length, 0);
  const verdicts = columns.reduce((sum, { report }) => sum + verdictsOf(report).length, 0);
  const days = columns.map(({ report }) => report.startedAt.slice(0, 10)).sort();
  const [first = "", last = ""] = [days[0], days.at(-1)];
  const when = first === last ? first : `${first} to ${last}`;
  return `${plural(cases, "case")} in ${plural(families.length, "family", "families")}, ${
    plural(verdicts, "verdict")
  }, ${when}`;
}

/** A number with a noun. */
export function plural(count: number, one: string, several: string = `${one}s`): string {
  return `${count} ${count === 1 ? one : several}`;
}

/** Why a run lacks verdicts; undefined if it lacks none. */
export function isWholeText({ notStarted, stopped, cases }: RunReport): string | undefined {
  if (notStarted !== undefined) return `Did not start: ${notStarted.reason}`;
  if (stopped === undefined) return undefined;
  const left = cases.filter(({ verdict }) => verdict === undefined).length;
  return `Stopped: ${stopped.reason} (${plural(left, "verdict")} missing)`;
}

/** How many failures of a column no known issue explains. */
export function newFailures({ report }: Pick<Column, "report">): number {
  return report.cases.filter((entry) =>
    FAILURES.has(entry.verdict?.outcome) && issueOf(report, entry) === undefined
  ).length;
}

/** How many verdicts of cells passed, and how many there are that judge anything. */
export function ratioOf(cells: readonly Cell[]): { passed: number; judged: number } {
  const outcomes = cells.flatMap(({ entries }) => entries.map(({ verdict }) => verdict?.outcome));
  const judged = outcomes.filter((outcome) => outcome !== undefined && outcome !== "skip");
  const passed = judged.filter((outcome) => outcome === "pass" || outcome === "retried");
  return { passed: passed.length, judged: judged.length };
}

/** How many cases of a pair differ, in words. */
export function pairText({ worse, better, unjudged, other }: Pair): string {
  const parts = [
    [worse, "fail only in the second"],
    [better, "fail only in the first"],
    [unjudged, "were judged by one only"],
    [other, "differ otherwise"],
  ] as const;
  const some = parts.filter(([ids]) => ids.length > 0);
  return some.length === 0
    ? "no difference"
    : some.map(([ids, what]) => `${ids.length} ${what}`).join(", ");
}
