/**
 * Coverage as one HTML page: the sources with what ran each line, and what it takes to reach the
 * others. It contains all that it needs.
 *
 * @module
 */
import { cleanLines } from "../core/clean.ts";
import { documentText } from "../report/html/frame.ts";
import { Markup, markup } from "../report/markup.ts";
import { type Group, groupsOf } from "./groups.ts";
import {
  asRanges,
  type Coverage,
  type CoveredFile,
  type CoveredLine,
  numbersIn,
  sharesOf,
} from "./model.ts";
import { type Column, type Difference, percent } from "./table.ts";

/** The number of cases that are named beside a line. */
const MAX_NAMED = 12;

/** What the page shows. */
export interface PageOptions {
  readonly coverage: Coverage;
  /** The text of each source, by path. */
  readonly texts: ReadonlyMap<string, string>;
  readonly columns: readonly Column[];
  readonly compared: readonly Difference[];
  readonly groups: readonly Group[];
}

/** Writes the page. */
export function coveragePage(options: PageOptions): string {
  const { coverage, texts, groups } = options;
  const { lines } = sharesOf(coverage.files);
  const title = `${percent(lines)} % of the lines of AF_VSOCK ran`;
  const body = markup`<h1>${title}</h1>
<p>${coverage.kernel}</p>
<ul>${coverage.runs.map(runLine)}</ul>
${overview(options.columns)}
${leftOver(coverage, groups)}
${comparison(options.compared)}
${coverage.files.map((file) => source(file, texts.get(file.path) ?? "", coverage, groups))}`;
  return documentText({ title, style: STYLE, body });
}

function runLine({ at, topology, cases, lost }: Coverage["runs"][number]): Markup {
  const missing = lost.map((why) => markup`<br>counters are missing: ${why}`);
  return markup`<li>${at.slice(0, 16)}, ${topology}: ${cases} cases${missing}</li>\n`;
}

function overview(columns: readonly Column[]): Markup {
  const cells = (files: readonly CoveredFile[], { withBoot }: Column) => {
    const { lines, branches, functions } = sharesOf(files, withBoot);
    return [lines, branches, functions].map((share) =>
      markup`<td title="${share.ran} of ${share.of}">${percent(share)}</td>`
    );
  };
  const paths = columns.at(-1)?.coverage.files.map(({ path }) => path) ?? [];
  const of = ({ coverage }: Column, path: string) =>
    coverage.files.filter((file) => file.path === path);
  return markup`<table>
<thead><tr><th rowspan="2">source</th>${
    columns.map(({ name }) => markup`<th colspan="3">${name}</th>`)
  }</tr>
<tr>${
    columns.map(() => markup`<th>lines %</th><th>branches %</th><th>functions %</th>`)
  }</tr></thead>
<tbody>
${
    paths.map((path) =>
      markup`<tr><th><a href="#${path}">${path}</a></th>${
        columns.map((column) => cells(of(column, path), column))
      }</tr>\n`
    )
  }<tr><th>total</th>${columns.map((column) => cells(column.coverage.files, column))}</tr>
</tbody></table>`;
}

/** What did not run, by what it takes. */
function leftOver({ files }: Coverage, groups: readonly Group[]): Markup {
  const left = files.flatMap((file) => {
    const known = groupsOf(file, groups);
    return file.lines.filter(({ count }) => count === 0)
      .map(({ line }) => ({ at: `${file.path}:${line}`, group: known.get(line) }));
  });
  const rows = [...Map.groupBy(left, ({ group }) => group)]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([group, lines]) =>
      markup`<tr><td>${lines.length}</td><td>${group?.way ?? "?"}</td><td>${
        group === undefined ? "not classified" : `${group.name}: ${group.what}`
      }</td><td><a href="#${lines[0]?.at ?? ""}">first</a></td></tr>\n`
    );
  return markup`<h2>Lines that did not run, by what reaches them</h2>
<table><thead><tr><th>lines</th><th>who</th><th>how</th><th></th></tr></thead><tbody>
${rows}</tbody></table>`;
}

function comparison(compared: readonly Difference[]): Markup | string {
  if (compared.length === 0) return "";
  const text = (lines: readonly number[]) =>
    asRanges(lines).map(([from, to]) => from === to ? `${from}` : `${from}-${to}`).join(", ");
  return markup`<h2>Compared with the base</h2>
<table><thead><tr><th>source</th><th>only the base ran</th><th>only this ran</th></tr></thead><tbody>
${
    compared.map(({ path, first, second }) =>
      markup`<tr><th>${path}</th><td>${text(first)}</td><td>${text(second)}</td></tr>\n`
    )
  }</tbody></table>`;
}

function source(
  file: CoveredFile,
  text: string,
  coverage: Coverage,
  groups: readonly Group[],
): Markup {
  const counts = new Map(file.lines.map((line) => [line.line, line]));
  const known = groupsOf(file, groups);
  const cases = casesByLine(file.path, coverage);
  let before: string | undefined;
  const rows = cleanLines(text.replaceAll("\t", "        ")).split("\n").map((code, i) => {
    const count = counts.get(i + 1);
    const note = count?.count === 0 ? noteOf(count, known.get(i + 1)) : undefined;
    const shown = note === before ? undefined : note;
    if (count !== undefined) before = note;
    return sourceLine(`${file.path}:${i + 1}`, i + 1, code, count, cases.get(i + 1), shown);
  });
  return markup`<h2 id="${file.path}">${file.path}</h2>
<table class="source"><tbody>
${rows}</tbody></table>`;
}

function noteOf({ boot }: CoveredLine, group: Group | undefined): string {
  const ran = boot > 0 ? "only boots ran this. " : "";
  return group === undefined ? ran : `${ran}${group.name} ${group.way}: ${group.what}`;
}

function sourceLine(
  id: string,
  number: number,
  code: string,
  line: CoveredLine | undefined,
  cases: readonly string[] | undefined,
  note: string | undefined,
): Markup {
  // Spaces at the beginning of a line would be cut off if they were made one.
  const text = new Markup(
    code.split(/( +)/).map((part) => part.trim() === "" ? part : markup`${part}`.text).join(""),
  );
  if (line === undefined) {
    return markup`<tr><td>${number}</td><td></td><td></td><td>${text}</td></tr>\n`;
  }
  const { count, boot, branches } = line;
  const kind = count > 0 ? "ran" : boot > 0 ? "boot" : "left";
  const taken = branches.filter((each) => each > 0).length;
  const arcs = branches.length === 0 ? "" : `${taken}/${branches.length}`;
  const partly = count > 0 && taken < branches.length ? " partly" : "";
  const named = cases === undefined ? "" : casesText(cases);
  const beside = note === undefined || note === "" ? "" : markup` <em>${note}</em>`;
  return markup`<tr id="${id}" class="${kind}${partly}"><td>${number}</td><td title="${named}">${
    count > 0 ? count : boot > 0 ? "boot" : 0
  }</td><td>${arcs}</td><td>${text}${beside}</td></tr>\n`;
}

function casesText(cases: readonly string[]): string {
  const more = cases.length - MAX_NAMED;
  const named = cases.slice(0, MAX_NAMED).join(", ");
  return `${cases.length} cases: ${named}${more > 0 ? `, and ${more} more` : ""}`;
}

/** The cases that ran each line of a source. */
function casesByLine(path: string, { cases }: Coverage): ReadonlyMap<number, string[]> {
  const found = new Map<number, string[]>();
  for (const { id, ran } of cases) {
    for (const line of (ran[path] ?? []).flatMap(numbersIn)) {
      const known = found.get(line);
      if (known === undefined) found.set(line, [id]);
      else known.push(id);
    }
  }
  return found;
}

const STYLE = `
:root { color-scheme: light dark; --line: #8886; --ran: #18794e22; --left: #c2211733; --boot: #1d4fc422; --partly: #b97d0033; }
body { margin: 1.5rem; font: 1rem/1.5 system-ui, sans-serif; }
h1, h2, p, li { overflow-wrap: anywhere; }
table { display: block; overflow-x: auto; border-collapse: collapse; margin: 1rem 0; }
thead th { font-weight: 600; }
th, td { padding: 0.15rem 0.6rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody th { font-weight: inherit; }
td { font-variant-numeric: tabular-nums; }
.source td { border: 0; padding: 0 0.6rem; font: 0.8rem/1.35 ui-monospace, monospace; }
.source td:nth-child(-n+3) { text-align: right; opacity: 0.75; }
.source td:nth-child(4) { white-space: pre-wrap; }
.ran { background: var(--ran); }
.partly { background: var(--partly); }
.left { background: var(--left); }
.boot { background: var(--boot); }
.source em { font-style: normal; padding-left: 2rem; opacity: 0.8; }
tr:target { outline: 2px solid; }
`;
