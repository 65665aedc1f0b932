/**
 * How much was covered of each source, as a table in Markdown, which is also readable on a screen.
 *
 * @module
 */
import { type Coverage, type CoveredFile, type Share, type Shares, sharesOf } from "./model.ts";

/** A column of the table: a name, and the coverage that it is about. */
export interface Column {
  readonly name: string;
  readonly coverage: Coverage;
  /** Whether boots count. */
  readonly withBoot?: boolean;
}

/** The shares of lines, branches and functions of each source, in per cent. */
export function coverageTable(columns: readonly Column[]): string {
  const [first] = columns;
  if (first === undefined) return "";
  const { files } = first.coverage;
  const rows = files.map(({ path }, i) => [
    headOf(path, sharesOf(files.slice(i, i + 1))),
    ...columns.map(({ coverage, withBoot }) => {
      const found = coverage.files.find((file) => file.path === path);
      return found === undefined ? "" : sharesText(sharesOf([found], withBoot));
    }),
  ]);
  const total = [
    headOf("total", sharesOf(files)),
    ...columns.map(({ coverage, withBoot }) => sharesText(sharesOf(coverage.files, withBoot))),
  ];
  const head = ["source (lines, branches, functions)", ...columns.map(({ name }) => name)];
  return aligned([head, ...rows, total]);
}

function headOf(path: string, { lines, branches, functions }: Shares): string {
  return `${path} (${lines.of}, ${branches.of}, ${functions.of})`;
}

function sharesText({ lines, branches, functions }: Shares): string {
  return [lines, branches, functions].map(percent).join(" / ");
}

/** A share in per cent, with one decimal. */
export function percent({ ran, of }: Share): string {
  return of === 0 ? "-" : (100 * ran / of).toFixed(1);
}

function aligned([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return `${[line(head), rule, ...rows.map(line)].join("\n")}\n`;
}

/** Lines that one of two ran and the other did not. */
export interface Difference {
  readonly path: string;
  /** Lines that only the first ran, and those that only the second ran. */
  readonly first: readonly number[];
  readonly second: readonly number[];
}

/** Compares two; only for the same source do line numbers mean the same. */
export function differences(first: Coverage, second: Coverage): Difference[] {
  return first.files.flatMap((file) => {
    const other = second.files.find(({ path }) => path === file.path);
    if (other === undefined) return [];
    const [a, b] = [linesRun(file), linesRun(other)];
    const found = { first: [...a.difference(b)], second: [...b.difference(a)] };
    return found.first.length + found.second.length === 0 ? [] : [{ path: file.path, ...found }];
  });
}

function linesRun({ lines }: CoveredFile): Set<number> {
  return new Set(lines.filter(({ count }) => count > 0).map(({ line }) => line));
}
