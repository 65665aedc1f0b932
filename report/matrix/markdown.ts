/**
 * A matrix as Markdown: the implementations, the families, what differs, and what fails.
 *
 * @module
 */
import { escapeText } from "../github.ts";
import { endingOf, ENDINGS_TEXT } from "../html/marks.ts";
import type { RunReport } from "../model.ts";
import { type Column, commandOf } from "./column.ts";
import { type Cell, type Matrix, matrixOf, type Row, tallyOf, whenText } from "./model.ts";
import { isWholeText, leadText, newFailures, pairText, ratioOf, titleText } from "./text.ts";

/**
 * Reports side by side as Markdown.
 *
 * @throws {ReportError} where there is none, or shards do not belong together.
 */
export function matrixMarkdown(reports: readonly RunReport[]): string {
  const matrix = matrixOf(reports);
  const { columns, families, pairs, issues } = matrix;
  const names = columns.map(({ label }) => escapeText(label));
  const lines = [
    `# ${titleText(matrix)}`,
    "",
    `${leadText(matrix)}.`,
    "",
    ...columns.flatMap(implementation),
    "",
    "| family | " + names.join(" | ") + " |",
    "| --- |" + " --- |".repeat(columns.length),
    ...families.map(({ name, rows }) => `| ${name} | ${familyCells(matrix, rows).join(" | ")} |`),
    "",
    ...(pairs.length === 0 ? [] : ["## What differs", ""]),
    ...pairs.map((pair) => {
      const [a, b] = pair.columns.map((i) => names[i]);
      return `- ${a}, then ${b}: ${pairText(pair)}`;
    }),
    "",
    ...(issues.length === 0 ? [] : ["## Known issues", ""]),
    ...issues.map(({ name, what }) => `- **${name}**: ${escapeText(what)}`),
    "",
    ...failures(matrix),
  ];
  return `${lines.join("\n").replace(/\n{3,}/g, "\n\n").trimEnd()}\n`;
}

function implementation(column: Column): string[] {
  const { label, machines, report } = column;
  const why = isWholeText(report);
  const count = newFailures(column);
  const command = commandOf(column, report.cases, "CASE");
  return [
    `- **${escapeText(label)}**: ${
      [...machines, column.setting, whenText(report), `tool ${report.tool}`].map(escapeText)
        .join(", ")
    }`,
    ...(why === undefined ? [] : [`  - **${escapeText(why)}**`]),
    ...(report.notStarted === undefined
      ? [`  - failures that are not a known issue: ${count}`]
      : []),
    ...(command === undefined ? [] : [`  - a cell again: \`${command.replaceAll("`", "")}\``]),
  ];
}

function familyCells({ columns }: Matrix, rows: readonly Row[]): string[] {
  return columns.map((_, i) => cellText(rows.flatMap((row) => row.cells[i] ?? [])));
}

function cellText(cells: readonly Cell[]): string {
  const { passed, judged } = ratioOf(cells);
  const tally = tallyOf(cells).filter(([ending]) => ending !== "pass");
  const others = tally.map(([ending, count]) => `${count} ${ENDINGS_TEXT[ending]}`);
  const issues = [...new Set(cells.flatMap((cell) => cell.issues))];
  const share = judged === 0 ? [] : [`${passed} of ${judged}`];
  return [...share, ...others, ...issues].join(", ") || "–";
}

/** The cases that do not do well somewhere, with how they end in every column. */
function failures({ columns, families }: Matrix): string[] {
  const isFine = (cell: Cell) =>
    cell.entries.every((entry) => ["pass", "skip", "left", "retried"].includes(endingOf(entry)));
  const bad = families.flatMap(({ rows }) => rows).filter(({ cells }) => !cells.every(isFine));
  if (bad.length === 0) return [];
  return [
    "## Cases that fail or warn somewhere",
    "",
    `| case | ${columns.map(({ label }) => escapeText(label)).join(" | ")} |`,
    `| --- |${" --- |".repeat(columns.length)}`,
    ...bad.map(({ id, cells }) => `| \`${id}\` | ${cells.map(caseText).join(" | ")} |`),
  ];
}

function caseText({ entries, issues }: Cell): string {
  const endings = new Set(entries.map(({ verdict }) => verdict?.outcome ?? "not run"));
  return [...endings, ...issues].join(", ") || "–";
}
