/**
 * Several reports side by side: implementations across, cases by families down, and what differs
 * between any two implementations.
 *
 * @module
 */
import { KNOWN_ISSUES, type KnownIssue } from "../../core/known_issues.ts";
import type { Direction } from "../../core/plan.ts";
import { ReportError } from "../model.ts";
import type { ReportedCase, RunReport } from "../model.ts";
import { compareVerdicts } from "../diff.ts";
import { type Ending, endingOf, ENDINGS } from "../html/marks.ts";
import { mergeReports } from "../merge.ts";
import { type Column, columnOf, issueOf } from "./column.ts";

/** A case of an implementation, in all directions that it ran in. */
export interface Cell {
  /** One for each direction; none where the case was not in the plan. */
  readonly entries: readonly ReportedCase[];
  /** The known issues that its verdicts show, each once. */
  readonly issues: readonly string[];
}

/** A case across implementations. */
export interface Row {
  readonly id: string;
  readonly title: string;
  readonly requirement: string;
  readonly refs: NonNullable<ReportedCase["refs"]>;
  /** One for each column. */
  readonly cells: readonly Cell[];
}

/** A family of cases. */
export interface Family {
  readonly name: string;
  readonly rows: readonly Row[];
}

/** Cases that two columns do not have in common, or judged differently. */
export interface Pair {
  /** Indexes of columns; the first is smaller. */
  readonly columns: readonly [number, number];
  /** The ids of cases that fail in the second column, and do not in the first. */
  readonly worse: readonly string[];
  /** Those that fail in the first column only. */
  readonly better: readonly string[];
  /** Those that only one of them has judged: the other skipped them, or did not run them. */
  readonly unjudged: readonly string[];
  /** Those that differ in another way, as a failure from a timeout. */
  readonly other: readonly string[];
}

/** Reports side by side. */
export interface Matrix {
  readonly columns: readonly Column[];
  readonly families: readonly Family[];
  /** Each two columns, in their order; those that did not start are compared with nothing. */
  readonly pairs: readonly Pair[];
  /** The known issues that a verdict shows. */
  readonly issues: readonly KnownIssue[];
}

/**
 * Puts reports side by side; shards of one run are merged first.
 *
 * @throws {ReportError} where there is none, or shards do not belong together.
 */
export function matrixOf(reports: readonly RunReport[]): Matrix {
  if (reports.length === 0) throw new ReportError("There is no report to show");
  const columns = distinct(withMergedShards(reports).map(columnOf));
  const families = familiesOf(columns);
  const rows = families.flatMap((family) => family.rows);
  const shown = new Set(rows.flatMap((row) => row.cells.flatMap(({ issues }) => issues)));
  return {
    columns,
    families,
    pairs: columns.flatMap((_, second) =>
      columns.slice(0, second).map((_, first) => [first, second] as const)
    ).filter((pair) => pair.every((i) => columns[i]?.report.notStarted === undefined))
      .map((pair) => pairOf(rows, pair)),
    issues: KNOWN_ISSUES.filter(({ name }) => shown.has(name)),
  };
}

function withMergedShards(reports: readonly RunReport[]): RunReport[] {
  const groups = Map.groupBy(reports, (report) => {
    const { shard } = report;
    // A run that is whole stands for itself.
    if (shard === undefined) return report;
    const { name, setting, machines } = columnOf(report);
    return JSON.stringify([name, setting, machines, shard.count]);
  });
  return [...groups.values()].map((group) => {
    const [first] = group;
    return first?.shard === undefined || group.length === 0
      ? group.slice(0, 1)
      : [mergeReports(group, ["matrix", "render"])];
  }).flat();
}

/** Columns whose labels differ: by their settings where these do, or by the times of the runs. */
function distinct(columns: readonly Column[]): Column[] {
  const isShared = new Set(columns.map(({ setting }) => setting)).size === 1;
  const plain = columns.map(({ name, setting }) => isShared ? name : `${name}, ${setting}`);
  return columns.map((column, i) => {
    const label = plain[i] ?? "";
    if (plain.indexOf(label) === plain.lastIndexOf(label)) return { ...column, label };
    return { ...column, label: `${label}, ${whenText(column.report)}` };
  });
}

/** When a run began, to the minute. */
export function whenText({ startedAt }: Pick<RunReport, "startedAt">): string {
  return `${startedAt.slice(0, 16).replace("T", " ")} UTC`;
}

/** All cases of all columns by family: families and cases in the order of the first that has them. */
function familiesOf(columns: readonly Column[]): Family[] {
  const byId = columns.map(({ report }) => Map.groupBy(report.cases, ({ id }) => id));
  const ids = new Set(columns.flatMap(({ report }) => report.cases.map(({ id }) => id)));
  const rows = [...ids].map((id): Row => {
    const cells = byId.map((of, i) => cellOf(columns[i], of.get(id) ?? []));
    const entry = cells.flatMap(({ entries }) => entries)[0];
    return {
      id,
      title: entry?.title ?? id,
      requirement: entry?.requirement ?? "",
      refs: entry?.refs ?? [],
      cells,
    };
  });
  const groups = Map.groupBy(rows, ({ id }) => id.split("/", 1)[0] ?? id);
  return [...groups].map(([name, rows]) => ({ name, rows }));
}

function cellOf(column: Column | undefined, entries: readonly ReportedCase[]): Cell {
  const issues = entries.flatMap((entry) =>
    column === undefined ? [] : issueOf(column.report, entry) ?? []
  );
  return { entries, issues: [...new Set(issues)] };
}

/** How bad each ending is, the worst first. */
const BY_BADNESS: readonly Ending[] = [
  ...["fail", "timeout", "unexpected-pass", "broken", "warn", "expected-fail"] as const,
  ...["retried", "left", "pass", "skip"] as const,
];

/** The verdict of a cell that is the worst of its directions. */
export function worstOf({ entries }: Pick<Cell, "entries">): ReportedCase | undefined {
  const rank = (entry: ReportedCase) => BY_BADNESS.indexOf(endingOf(entry));
  return entries.toSorted((a, b) => rank(a) - rank(b))[0];
}

/** How often each ending is there, in the order in which endings are shown. */
export function tallyOf(cells: readonly Pick<Cell, "entries">[]): [Ending, number][] {
  const groups = Map.groupBy(cells.flatMap(({ entries }) => entries), endingOf);
  return ENDINGS.flatMap((ending): [Ending, number][] => {
    const count = groups.get(ending)?.length ?? 0;
    return count === 0 ? [] : [[ending, count]];
  });
}

function pairOf(rows: readonly Row[], columns: readonly [number, number]): Pair {
  const kinds = Map.groupBy(rows, ({ cells }) => difference(cells, columns));
  const of = (kind: Difference) => (kinds.get(kind) ?? []).map(({ id }) => id);
  return {
    columns,
    worse: of("worse"),
    better: of("better"),
    unjudged: of("unjudged"),
    other: of("other"),
  };
}

/** How a case differs between two columns. */
type Difference = "worse" | "better" | "unjudged" | "other";

/** How a case differs between two columns; undefined where it does not. */
function difference(
  cells: readonly Cell[],
  [first, second]: readonly [number, number],
): Difference | undefined {
  const [a, b] = [cells[first], cells[second]];
  if (a === undefined || b === undefined) return undefined;
  const kinds = new Set(
    comparable(a, b).map(([before, after]) => kindOf(before, after)),
  );
  const order = ["worse", "better", "unjudged", "other"] as const;
  return order.find((kind) => kinds.has(kind));
}

/** Two verdicts of a case. */
type Compared = readonly [ReportedCase | undefined, ReportedCase | undefined];

/** What is compared: each direction that both have; the worst of each where they share none. */
function comparable(a: Cell, b: Cell): Compared[] {
  const of = (cell: Cell, wanted: Direction) =>
    cell.entries.find(({ direction }) => direction === wanted);
  const shared = a.entries.flatMap((entry) => {
    const other = of(b, entry.direction);
    return other === undefined ? [] : [[entry, other] as const];
  });
  return shared.length > 0 ? shared : [[worstOf(a), worstOf(b)]];
}

function kindOf(before?: ReportedCase, after?: ReportedCase): Difference | undefined {
  const judged = ({ verdict }: Partial<ReportedCase> = {}) =>
    verdict !== undefined && verdict.outcome !== "skip";
  if (judged(before) !== judged(after)) return "unjudged";
  if (!judged(before) || before?.verdict?.outcome === after?.verdict?.outcome) return undefined;
  const kind = compareVerdicts(before?.verdict, after?.verdict);
  return kind === "regressed" ? "worse" : kind === "fixed" ? "better" : "other";
}
