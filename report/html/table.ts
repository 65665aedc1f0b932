/**
 * The cases of a report as a table: by family, with both directions next to each other.
 *
 * @module
 */
import type { Role } from "../../core/case.ts";
import type { SideReport, Verdict } from "../../core/outcome.ts";
import type { Direction } from "../../core/plan.ts";
import { againLine } from "./facts.ts";
import { type Ending, endingOf, ENDINGS, ENDINGS_TEXT, mark } from "./marks.ts";
import { type Markup, markup } from "../markup.ts";
import { byDirection, type ReportedCase, type RunReport } from "../model.ts";
import { countsText, DIRECTION_TEXT, reasonsOfNeither } from "../text.ts";
import { duration } from "../../core/duration.ts";

/** What is on a badge. */
export const LABELS: Readonly<Record<Ending, string>> = {
  pass: "pass",
  warn: "warn",
  retried: "retry",
  fail: "FAIL",
  timeout: "TIME",
  broken: "BRKN",
  skip: "skip",
  "expected-fail": "xfail",
  "unexpected-pass": "XPASS",
  left: "not run",
};
/** Those worth being read at once. */
const OPEN: ReadonlySet<Ending> = new Set([
  "fail",
  "timeout",
  "broken",
  "warn",
  "retried",
  "unexpected-pass",
]);
/** Reasons of a side that are shown at once; the others are folded. */
const MAX_REASONS = 6;

/** A case with how it ended in each direction. */
type Row = ReadonlyMap<Direction, ReportedCase>;

/** The table, with the means to filter it. */
export function casesTable(report: RunReport): Markup {
  const directions = byDirection(report.cases).map(([direction]) => direction);
  const rows = [...Map.groupBy(report.cases, ({ id }) => id).values()].map((entries): Row =>
    new Map(entries.map((entry) => [entry.direction, entry]))
  );
  const families = Map.groupBy(rows, (row) => firstOf(row).id.split("/")[0] ?? "");
  let number = 0;
  const bodies = [...families].map(([family, rows]) =>
    markup`<tbody role="rowgroup">
<tr class="family" role="row"><th scope="rowgroup" role="rowheader" colspan="${
      directions.length + 1
    }"><h3>${family}</h3> <span>${familyTally(rows)}</span></th></tr>
${rows.map((row) => caseRows(report, row, directions, ++number))}</tbody>\n`
  );
  const heads = directions.map((direction) =>
    markup`<th scope="col" role="columnheader">${direction}<span>${
      DIRECTION_TEXT[direction]
    }</span></th>`
  );
  return markup`<section aria-labelledby="cases-title" id="cases">
<h2 id="cases-title">Cases</h2>
${filterBar(report)}
<table role="table" aria-labelledby="cases-title" class="columns-${directions.length}">
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">case</th>${heads}</tr></thead>
${bodies}</table>
<p class="nothing" hidden>No case is left. <button type="button" id="reset">Show all</button></p>
</section>`;
}

function firstOf(row: Row): ReportedCase {
  const [first] = row.values();
  if (first === undefined) throw new Error("a row without a case");
  return first;
}

function tallyText(entries: Iterable<ReportedCase>): string {
  const groups = Map.groupBy(entries, endingOf);
  return ENDINGS.flatMap((ending) => {
    const count = groups.get(ending)?.length ?? 0;
    return count === 0 ? [] : [`${count} ${ENDINGS_TEXT[ending]}`];
  }).join(", ");
}

function familyTally(rows: readonly Row[]): string {
  return tallyText(rows.flatMap((row) => [...row.values()]));
}

function filterBar({ cases }: RunReport): Markup {
  const groups = Map.groupBy(cases, endingOf);
  const buttons = ENDINGS.filter((ending) => groups.has(ending)).map((ending) =>
    markup`<button type="button" aria-pressed="false" data-ending="${ending}">${mark(ending)}${
      groups.get(ending)?.length ?? 0
    } ${ENDINGS_TEXT[ending]}</button>\n`
  );
  return markup`<form class="filter" role="search" hidden>
<label>Filter <input type="search" id="query" autocomplete="off" spellcheck="false" \
placeholder="id, title or reason" aria-keyshortcuts="/"></label>
<div class="endings" role="group" aria-label="Only cases that">${buttons}</div>
<button type="button" id="unfold" aria-pressed="false">Unfold all</button>
<output aria-live="polite"></output>
</form>`;
}

function caseRows(
  report: RunReport,
  row: Row,
  directions: readonly Direction[],
  number: number,
): Markup {
  const { id, title } = firstOf(row);
  const entries = directions.map((direction) => row.get(direction));
  const endings = entries.flatMap((entry) => entry === undefined ? [] : [endingOf(entry)]);
  const open = endings.some((ending) => OPEN.has(ending));
  const name = id.slice(id.indexOf("/") + 1);
  return markup`<tr class="case" role="row" id="${id}" data-endings="${endings.join(" ")}" \
data-open="${open ? "yes" : "no"}">
<th scope="row" role="rowheader"><button type="button" class="fold" aria-expanded="true" \
aria-controls="d${number}">${name}</button><span class="title">${title}</span></th>
${entries.map((entry, i) => verdictCell(entry, directions[i] ?? "loopback"))}</tr>
<tr class="detail" role="row" id="d${number}"><td role="cell" colspan="${directions.length + 1}">${
    detail(report, row)
  }</td></tr>\n`;
}

function verdictCell(entry: ReportedCase | undefined, direction: Direction): Markup {
  const where = markup`<span class="where">${direction}</span>`;
  if (entry === undefined) return markup`<td role="cell">${where}<span class="dim">–</span></td>`;
  const ending = endingOf(entry);
  const time = entry.verdict === undefined || ending === "skip"
    ? ""
    : markup` <span class="time">${duration(entry.verdict.milliseconds)}</span>`;
  return markup`<td role="cell">${where}<span class="badge e-${ending}">${mark(ending)}${
    LABELS[ending]
  }</span>${time}</td>`;
}

function detail(report: RunReport, row: Row): Markup {
  const { id, requirement, refs = [] } = firstOf(row);
  const links = refs.map(({ text, url }) =>
    markup`<li><a href="${url}" rel="noreferrer">${text}</a></li>`
  );
  const source = refs.length === 0 ? "" : markup`<ul class="sources">${links}</ul>`;
  const ways = [...row.values()].map((entry) => {
    const { direction, verdict, outcomes } = entry;
    return markup`<div class="way"><h4>${direction}</h4>${
      outcomes === undefined
        ? ""
        : markup`<p class="dim">In all rounds: ${countsText(outcomes)}.</p>`
    }${
      verdict === undefined ? markup`<p class="dim">It did not run.</p>` : way(direction, verdict)
    }${againLine(report, entry)}</div>`;
  });
  return markup`<p class="requirement">${requirement}</p>${source}<p class="dim">\
<code>${id}</code></p><div class="ways">${ways}</div>`;
}

/** A verdict in one direction: what neither side says, and what each does; or all its reasons. */
function way(direction: Direction, verdict: Verdict): Markup {
  const { reasons, sides } = verdict;
  const told = sides !== undefined && (reasons.length === 0 ||
    sides.client.reasons.length + sides.server.reasons.length > 0);
  if (!told) return reasonList(reasons);
  return markup`${reasonList(reasonsOfNeither(verdict))}${side("client", direction, sides.client)}${
    side("server", direction, sides.server)
  }`;
}

function side(role: Role, direction: Direction, report: SideReport): Markup {
  const { state, milliseconds, reasons, step } = report;
  const host = direction === "host-server" ? "server" : "client";
  const machine = direction === "loopback" ? "" : ` on the ${role === host ? "host" : "guest"}`;
  const last = state === "pass" || step === ""
    ? ""
    : markup`<p class="step">last step: <code>${step}</code></p>`;
  return markup`<p class="side"><strong>${role}</strong>${machine}: ${state}, ${
    duration(milliseconds)
  }</p>${reasonList(reasons)}${last}`;
}

/** Reasons, the first of them open. */
export function reasonList(reasons: readonly string[]): Markup {
  if (reasons.length === 0) return markup``;
  const list = (some: readonly string[]) =>
    markup`<ul class="reasons">${some.map((reason) => markup`<li>${reason}</li>`)}</ul>`;
  const rest = reasons.slice(MAX_REASONS);
  const folded = rest.length === 0
    ? ""
    : markup`<details><summary>${rest.length} more</summary>${list(rest)}</details>`;
  return markup`${list(reasons.slice(0, MAX_REASONS))}${folded}`;
}
