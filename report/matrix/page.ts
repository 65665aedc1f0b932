/**
 * A matrix as one HTML page for people: no script, style, font or picture from elsewhere.
 *
 * @module
 */
import { commandLine } from "../html/facts.ts";
import { pageText } from "../html/frame.ts";
import { ENDINGS_TEXT, mark } from "../html/marks.ts";
import { STYLE } from "../html/style.ts";
import { type Markup, markup } from "../markup.ts";
import type { RunReport } from "../model.ts";
import { commandOf } from "./column.ts";
import type { Column } from "./column.ts";
import { type Matrix, matrixOf, tallyOf, whenText } from "./model.ts";
import { issuesSection, pairsSection } from "./pairs.ts";
import { MATRIX_SCRIPT } from "./script.ts";
import { MATRIX_STYLE } from "./style.ts";
import { matrixTable } from "./table.ts";
import { isWholeText, leadText, newFailures, titleText } from "./text.ts";

/**
 * Reports side by side as an HTML page.
 *
 * @throws {ReportError} where there is none, or shards do not belong together.
 */
export function matrixHtml(reports: readonly RunReport[]): string {
  const matrix = matrixOf(reports);
  const title = titleText(matrix);
  const tools = [...new Set(reports.map(({ tool }) => tool))].join(", ");
  const body = markup`<header>
<p class="eyebrow">vsock-conformance ${tools}</p>
<h1>${title}</h1>
<p class="lead">${leadText(matrix)}</p>
</header>
<main>
${implementations(matrix)}
${pairsSection(matrix)}
${issuesSection(matrix)}
${matrixTable(matrix)}
</main>`;
  return pageText({
    title,
    style: `${STYLE}${MATRIX_STYLE}`,
    script: MATRIX_SCRIPT,
    main: { id: "matrix", name: "the matrix" },
    body,
  });
}

function implementations({ columns }: Matrix): Markup {
  return markup`<section aria-labelledby="implementations-title">
<h2 id="implementations-title">Implementations</h2>
<div class="cards">${columns.map(card)}</div>
</section>`;
}

function card(column: Column): Markup {
  const { name, setting, label, machines, report } = column;
  const facts: readonly (readonly [string, string])[] = [
    ...machines.map((machine) => ["kernel", machine] as const),
    ["setting", setting],
    ["run", whenText(report)],
    ["tool", toolText(report)],
  ];
  const tally = tallyOf([{ entries: report.cases }]);
  const verdicts = tally.map(([ending, count]) =>
    markup`<li>${mark(ending)} ${count} ${ENDINGS_TEXT[ending]}</li>`
  );
  return markup`<div class="card"><h3>${name}</h3><dl>${
    facts.map(([fact, value]) => markup`<div><dt>${fact}</dt><dd>${value}</dd></div>`)
  }</dl>${trouble(column)}<ul class="verdicts">${verdicts}</ul>${unexplained(column)}${
    commandLine(commandOf(column, report.cases, "CASE"), `a case on ${label}`)
  }</div>\n`;
}

function toolText({ tool, commit }: RunReport): string {
  return commit === undefined ? tool : `${tool}, ${commit.slice(0, 12)}`;
}

/** Why a column lacks verdicts. */
function trouble({ report }: Column): Markup | string {
  const why = isWholeText(report);
  return why === undefined ? "" : markup`<p class="note">${why}</p>`;
}

function unexplained(column: Column): Markup | string {
  if (column.report.notStarted !== undefined) return "";
  const count = newFailures(column);
  if (count === 0) return markup`<p class="dim">No failure that is not a known issue.</p>`;
  return markup`<p><strong>${count} ${
    count === 1 ? "failure is" : "failures are"
  } not a known issue.</strong></p>`;
}
