/**
 * The table of the page: implementations across, families down, each of which opens to its cases.
 *
 * @module
 */
import { commandLine } from "../html/facts.ts";
import { endingOf, ENDINGS_TEXT, mark } from "../html/marks.ts";
import { LABELS, reasonList } from "../html/table.ts";
import { type Markup, markup } from "../markup.ts";
import type { ReportedCase } from "../model.ts";
import { decisiveFirst } from "../text.ts";
import { type Column, commandOf } from "./column.ts";
import { type Cell, type Family, type Matrix, type Row, tallyOf, worstOf } from "./model.ts";
import { columnName } from "./pairs.ts";
import { WIDEST } from "./style.ts";
import { plural, ratioOf } from "./text.ts";

/** The table, with the means to filter it. */
export function matrixTable(matrix: Matrix): Markup {
  const { columns, families } = matrix;
  const heads = columns.map((column, i) =>
    markup`<th scope="col" role="columnheader" data-column="${i}">${columnName(column)}</th>`
  );
  let number = 0;
  const bodies = families.map((family) => familyBody(matrix, family, () => ++number));
  return markup`<section aria-labelledby="matrix-title" id="matrix">
<h2 id="matrix-title">Families and cases</h2>
${filterBar(matrix)}
<div class="scroll" tabindex="0" role="region" aria-labelledby="matrix-title">
<table role="table" aria-labelledby="matrix-title" class="matrix of-${
    Math.min(columns.length, WIDEST)
  }">
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">case</th>${heads}</tr></thead>
${bodies}</table></div>
<p class="nothing" hidden>No case is left. <button type="button" id="reset">Show all</button></p>
</section>`;
}

function filterBar({ columns, families, pairs }: Matrix): Markup {
  const cells = families.flatMap(({ rows }) => rows.flatMap((row) => row.cells));
  const buttons = tallyOf(cells).map(([ending, count]) =>
    markup`<button type="button" aria-pressed="false" data-ending="${ending}">${
      mark(ending)
    }${count} ${ENDINGS_TEXT[ending]}</button>\n`
  );
  const options = pairs.map(({ columns: [a, b] }) =>
    markup`<option value="${a}-${b}">${columns[a]?.label ?? ""} | ${
      columns[b]?.label ?? ""
    }</option>`
  );
  const compare = pairs.length === 0
    ? ""
    : markup`<label>Differences <select id="compare"><option value="">show all</option>\
<option value="any">between any</option>${options}</select></label>\n`;
  return markup`<form class="filter" role="search" hidden>
<label>Filter <input type="search" id="query" autocomplete="off" spellcheck="false" \
placeholder="id, title or reason" aria-keyshortcuts="/"></label>
${compare}<div class="endings" role="group" aria-label="Only cases that">${buttons}</div>
<button type="button" id="unfold" aria-pressed="false">Unfold all</button>
<output aria-live="polite"></output>
</form>`;
}

function familyBody({ columns, pairs }: Matrix, family: Family, next: () => number): Markup {
  const { name, rows } = family;
  const cells = columns.map((_, i) => rows.flatMap((row) => row.cells[i] ?? []));
  const commands = columns.map((column, i) => {
    const entries = (cells[i] ?? []).flatMap((cell) => cell.entries);
    return markup`<td role="cell" data-column="${i}">${
      commandLine(commandOf(column, entries, name), `${name} on ${column.label}`)
    }</td>`;
  });
  const differing = new Map(
    rows.map((
      { id },
    ) => [id, pairs.filter((pair) => isIn(id, pair)).map(({ columns }) => columns)]),
  );
  return markup`<tbody role="rowgroup">
<tr class="family" role="row"><th scope="rowgroup" role="rowheader"><button type="button" \
class="fold" aria-expanded="true">${name}</button> <span>${
    plural(rows.length, "case")
  }</span></th>${cells.map((some, i) => familyCell(some, i, columns[i]))}</tr>
<tr class="repeat" role="row"><th scope="row" role="rowheader">to repeat</th>${commands}</tr>
${rows.map((row) => caseRows(columns, row, differing.get(row.id) ?? [], next()))}</tbody>\n`;
}

function isIn(id: string, { worse, better, unjudged, other }: Matrix["pairs"][number]): boolean {
  return [worse, better, unjudged, other].some((ids) => ids.includes(id));
}

function familyCell(cells: readonly Cell[], at: number, column?: Column): Markup {
  const { passed, judged } = ratioOf(cells);
  const tally = tallyOf(cells);
  const others = tally.filter(([ending]) => ending !== "pass" && ending !== "retried");
  const chips = others.map(([ending, count]) =>
    markup`<span class="chip e-${ending}">${mark(ending)}${count} <span class="sr">${
      ENDINGS_TEXT[ending]
    }</span></span>`
  );
  const issues = [...new Set(cells.flatMap((cell) => cell.issues))];
  const text = tally.length === 0
    ? markup`<span class="dim">not chosen</span>`
    : judged === 0
    ? markup`<span class="dim">none judged</span>`
    : markup`<span class="ratio"><strong>${passed}</strong> of ${judged}</span>`;
  return markup`<td role="cell" data-column="${at}"><span class="where">${
    column?.label ?? ""
  }</span>${text} ${chips}${issueList(issues)}${bar(tally)}</td>`;
}

/** The share of each ending, as a bar; the numbers beside it say the same. */
function bar(tally: ReturnType<typeof tallyOf>): Markup {
  const total = Math.max(1, tally.reduce((sum, [, count]) => sum + count, 0));
  let x = 0;
  const parts = tally.map(([ending, count]) => {
    const width = Math.round(1000 * count / total);
    x += width;
    return markup`<rect class="e-${ending}" x="${x - width}" width="${width}" height="10"/>`;
  });
  return markup`<svg class="tally" viewBox="0 0 1000 10" preserveAspectRatio="none" \
aria-hidden="true">${parts}</svg>`;
}

function issueList(issues: readonly string[]): Markup | string {
  if (issues.length === 0) return "";
  return markup` <span class="known">${
    issues.map((name, i) => markup`${i === 0 ? "" : " "}<a href="#${name}">${name}</a>`)
  }</span>`;
}

function caseRows(
  columns: readonly Column[],
  row: Row,
  differing: readonly (readonly [number, number])[],
  number: number,
): Markup {
  const { id, title, cells } = row;
  const endings = new Set(cells.flatMap(({ entries }) => entries.map(endingOf)));
  const pairs = differing.map((pair) => pair.join("-")).join(" ");
  return markup`<tr class="case" role="row" id="${id}" data-endings="${
    [...endings].join(" ")
  }" data-pairs="${pairs}">
<th scope="row" role="rowheader"><button type="button" class="fold" aria-expanded="true" \
aria-controls="d${number}">${
    id.slice(id.indexOf("/") + 1)
  }</button><span class="title">${title}</span></th>
${cells.map((cell, i) => caseCell(cell, i, columns[i]))}</tr>
<tr class="detail" role="row" id="d${number}"><td role="cell" colspan="${columns.length + 1}">${
    detail(columns, row)
  }</td></tr>\n`;
}

function caseCell(cell: Cell, at: number, column?: Column): Markup {
  const { entries, issues } = cell;
  const where = markup`<span class="where">${column?.label ?? ""}</span>`;
  const worst = worstOf(cell);
  const isSame = entries.every((entry) => endingOf(entry) === endingOf(worst ?? entry));
  const shown = worst === undefined || isSame ? entries.slice(0, 1) : entries;
  const badges = shown.map((entry) => {
    const ending = endingOf(entry);
    const which = isSame ? "" : markup` <span class="dim">${entry.direction}</span>`;
    return markup`<span class="line"><span class="badge e-${ending}">${mark(ending)}${
      LABELS[ending]
    }</span>${which}</span>`;
  });
  return markup`<td role="cell" data-column="${at}">${where}${
    badges.length === 0 ? markup`<span class="dim">–</span>` : badges
  }${issueList(issues)}</td>`;
}

function detail(columns: readonly Column[], { id, requirement, refs, cells }: Row): Markup {
  const links = refs.map(({ text, url }) =>
    markup`<li><a href="${url}" rel="noreferrer">${text}</a></li>`
  );
  const sources = refs.length === 0 ? "" : markup`<ul class="sources">${links}</ul>`;
  const ways = cells.map((cell, i) => {
    const column = columns[i];
    if (column === undefined || cell.entries.length === 0) return "";
    const command = commandOf(column, cell.entries, id);
    return markup`<div class="way" data-column="${i}"><h4>${column.label}</h4>${
      cell.entries.map(wayOf)
    }${commandLine(command, `${id} on ${column.label}`)}</div>`;
  });
  return markup`<p class="requirement">${requirement}</p>${sources}<p class="dim">\
<code>${id}</code></p><div class="ways">${ways}</div>`;
}

function wayOf(entry: ReportedCase): Markup {
  const ending = endingOf(entry);
  const reasons = entry.verdict === undefined ? [] : decisiveFirst(entry.verdict);
  const where = entry.direction === "loopback" ? "" : `, ${entry.direction}`;
  return markup`<p class="side"><span class="badge e-${ending}">${mark(ending)}${
    LABELS[ending]
  }</span>${where}</p>${reasonList(reasons)}`;
}
