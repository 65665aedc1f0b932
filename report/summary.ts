/**
 * The end of a run as people read it: once more what failed and why, what was skipped for what, and
 * what had to be done again.
 *
 * @module
 */
import { oneLine } from "../core/clean.ts";
import type { CaseRun, Retry } from "../core/event.ts";
import type { Outcome, Verdict } from "../core/outcome.ts";
import type { Direction } from "../core/plan.ts";
import { retryText } from "./run_facts.ts";
import { decisiveFirst } from "./text.ts";

/** A case of a run, and how it ended. */
export interface Ended {
  readonly run: Pick<CaseRun, "id" | "direction">;
  readonly verdict: Verdict;
  /** The command that runs it again. */
  readonly again?: string;
}

/** Outcomes that are told once more, and under what. */
const TOLD: Readonly<Partial<Record<Outcome, "failed" | "passed, but">>> = {
  fail: "failed",
  timeout: "failed",
  broken: "failed",
  "unexpected-pass": "failed",
  warn: "passed, but",
  retried: "passed, but",
};

/** Most reasons of a case; all of them are where its verdict fell. */
const MAX_REASONS = 3;
/** Most lines of a list; a run in which everything fails says so with the first. */
const MAX_CASES = 40;
/** Where the text of a case begins. */
const INDENT = " ".repeat(8);

/**
 * The lines at the end of a run.
 *
 * @param label what an outcome is called in front of a case.
 */
export function summaryLines(
  ended: readonly Ended[],
  retries: readonly Retry[],
  label: (outcome: Outcome) => string,
): string[] {
  const told = Map.groupBy(ended, ({ verdict }) => TOLD[verdict.outcome]);
  const skipped = ended.filter(({ verdict }) => verdict.outcome === "skip");
  return [
    ...casesLines("failed", told.get("failed") ?? [], label),
    ...casesLines("passed, but", told.get("passed, but") ?? [], label),
    ...skipLines(skipped),
    ...section(
      "done again",
      retries.length,
      retries.map((retry) => `  ${oneLine(retryText(retry))}`),
    ),
  ];
}

function casesLines(
  title: string,
  cases: readonly Ended[],
  label: (outcome: Outcome) => string,
): string[] {
  const lines = cases.slice(0, MAX_CASES).flatMap(({ run, verdict }) => {
    const reasons = decisiveFirst(verdict);
    const more = reasons.length - MAX_REASONS;
    return [
      `  ${label(verdict.outcome)}  ${run.id}${whereOf(run.direction)}`,
      ...reasons.slice(0, MAX_REASONS).map((reason) => `${INDENT}${oneLine(reason)}`),
      ...(more > 0 ? [`${INDENT}and ${more} more above`] : []),
    ];
  });
  const more = cases.length - MAX_CASES;
  if (more > 0) lines.push(`  and ${more} more above`);
  const again = cases.find((entry) => entry.again !== undefined)?.again;
  if (again !== undefined) lines.push(`  again: ${oneLine(again)}`);
  return section(title, cases.length, lines);
}

function whereOf(direction: Direction): string {
  return direction === "loopback" ? "" : ` (${direction})`;
}

/** What was skipped, by the reasons: which side says one does not matter here. */
function skipLines(skipped: readonly Ended[]): string[] {
  const groups = Map.groupBy(skipped, ({ verdict }) => {
    const reasons = verdict.reasons.map((text) =>
      text.replace(/^(client|server)( \(\w+\))?: /, "")
    );
    return [...new Set(reasons)].join("; ");
  });
  const sorted = [...groups].sort(([, a], [, b]) => b.length - a.length);
  const width = `${sorted[0]?.[1].length ?? 0}`.length;
  const lines = sorted.map(([why, { length }]) =>
    `  ${`${length}`.padStart(width)}  ${oneLine(why)}`
  );
  return section("skipped", skipped.length, lines);
}

function section(title: string, count: number, lines: readonly string[]): string[] {
  return count === 0 ? [] : ["", `${title} (${count})`, ...lines];
}
