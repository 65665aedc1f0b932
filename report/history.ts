/**
 * Several runs of the same implementations: when a case changed, and for which of them.
 *
 * @module
 */
import { type Change, diffReports, isRegression } from "./diff.ts";
import { implementationOf } from "./matrix/column.ts";
import type { RunReport } from "./model.ts";

/** What changed from one run of an implementation to the next. */
export interface Step {
  readonly before: RunReport;
  readonly after: RunReport;
  /** Without those that only took longer. */
  readonly changes: readonly Change[];
}

/** The runs of an implementation, in the order of their times. */
export interface History {
  /** Its name and setting. */
  readonly name: string;
  readonly runs: readonly RunReport[];
  /** One for each run but the first. */
  readonly steps: readonly Step[];
}

/** The history of each implementation; a run that did not start tells nothing, and is left out. */
export function historiesOf(reports: readonly RunReport[]): History[] {
  const started = reports.filter(({ notStarted }) => notStarted === undefined)
    .toSorted((a, b) => a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0);
  const groups = Map.groupBy(started, (report) => {
    const { name, setting } = implementationOf(report);
    return `${name}, ${setting}`;
  });
  return [...groups].map(([name, runs]) => ({
    name,
    runs,
    steps: runs.slice(1).map((after, i): Step => {
      const before = runs[i] ?? after;
      const changes = diffReports(before, after).filter(({ kind }) => kind !== "slower");
      return { before, after, changes };
    }),
  }));
}

/** Whether the last run of an implementation is worse than the one before it. */
export function isWorseNow(histories: readonly History[]): boolean {
  return histories.some(({ steps }) => {
    const last = steps.at(-1);
    return last !== undefined && isRegression(last.changes, { subset: true });
  });
}

/** Histories as text. */
export function historyText(histories: readonly History[]): string {
  const lines = histories.flatMap(({ name, runs, steps }) => [
    `${name}: ${runs.length} ${runs.length === 1 ? "run" : "runs"}`,
    ...steps.flatMap(stepLines),
    ...(steps.every(({ changes }) => changes.length === 0) ? ["  nothing changed"] : []),
  ]);
  return `${lines.join("\n")}\n`;
}

function stepLines({ before, after, changes }: Step): string[] {
  if (changes.length === 0) return [];
  const outcome = (of: Change["before"]) => of?.verdict?.outcome ?? "not run";
  return [
    `  ${runText(before)} -> ${runText(after)}`,
    ...changes.map(({ before, after }) => {
      const { id = "", direction = "" } = after ?? before ?? {};
      return `    ${id} (${direction}): ${outcome(before)} -> ${outcome(after)}`;
    }),
  ];
}

function runText({ startedAt, ends, commit, tool }: RunReport): string {
  const kernels = [...new Set(ends.map(({ kernel }) => kernel))].join(", ");
  return `${startedAt.slice(0, 16)}Z Linux ${kernels} (tool ${commit?.slice(0, 12) ?? tool})`;
}
