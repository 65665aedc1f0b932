/**
 * The parts of the page that say what differs between two implementations, and which known issues
 * there are.
 *
 * @module
 */
import { type Markup, markup } from "../markup.ts";
import type { Column } from "./column.ts";
import type { Matrix, Pair } from "./model.ts";
import { isWholeText } from "./text.ts";

/** What differs between each two implementations; nothing where there is only one. */
export function pairsSection({ columns, pairs }: Matrix): Markup | string {
  if (pairs.length === 0) return "";
  return markup`<section aria-labelledby="pairs-title">
<h2 id="pairs-title">What differs</h2>
<table role="table" class="pairs" aria-labelledby="pairs-title">
<thead role="rowgroup"><tr role="row"><th scope="col" role="columnheader">A</th>\
<th scope="col" role="columnheader">B</th>${
    COUNTED.map(([, text]) => markup`<th scope="col" role="columnheader">${text}</th>`)
  }<th scope="col" role="columnheader"><span class="sr">show</span></th></tr></thead>
<tbody role="rowgroup">${pairs.map((pair) => pairRow(pair, columns))}</tbody></table>
</section>`;
}

/** What is counted of a pair, and what it is called. */
const COUNTED = [
  ["better", "only A fails", "fail"],
  ["worse", "only B fails", "fail"],
  ["unjudged", "judged by one only", "skip"],
  ["other", "differ otherwise", "warn"],
] as const;

function pairRow(pair: Pair, columns: readonly Column[]): Markup {
  const [a, b] = pair.columns.map((i) => columns[i]);
  const numbers = COUNTED.map(([kind, text, ending]) => {
    const count = pair[kind].length;
    return markup`<td role="cell"><span class="where">${text}</span>${
      count === 0
        ? markup`<span class="dim">0</span>`
        : markup`<strong class="tone e-${ending}">${count}</strong>`
    }</td>`;
  });
  const label = `Show what differs between ${a?.label} and ${b?.label}`;
  const show = COUNTED.every(([kind]) => pair[kind].length === 0)
    ? markup`<span class="dim">the same</span>`
    : markup`<button type="button" class="compare" data-pair="${
      pair.columns.join("-")
    }" aria-label="${label}" hidden>Show</button>`;
  return markup`<tr role="row"><th scope="row" role="rowheader"><span class="where">A</span>${
    columnName(a)
  }</th><td role="cell"><span class="where">B</span>${
    columnName(b)
  }</td>${numbers}<td role="cell">${show}</td></tr>\n`;
}

/** The label of a column, and whether its run is whole. */
export function columnName(column: Column | undefined): Markup {
  if (column === undefined) return markup``;
  const { name, label, report } = column;
  const incomplete = isWholeText(report) === undefined ? "" : markup` <strong>incomplete</strong>`;
  return markup`<span class="name">${name}</span><span class="dim">${
    label.slice(name.length).replace(/^, /, " ")
  }${incomplete}</span>`;
}

/** The known issues that the verdicts show, and where. */
export function issuesSection({ issues, columns, families }: Matrix): Markup | string {
  if (issues.length === 0) return "";
  const rows = families.flatMap((family) => family.rows);
  const items = issues.map(({ name, what }) => {
    const showing = rows.filter(({ cells }) => cells.some((cell) => cell.issues.includes(name)));
    const where = columns.filter((_, i) =>
      showing.some(({ cells }) => cells[i]?.issues.includes(name))
    );
    const links = showing.map(({ id }) => markup`<li><a href="#${id}">${id}</a></li>`);
    return markup`<li id="${name}"><strong class="issue">${name}</strong> ${what}
<p class="dim">${
      where.length === columns.length ? "all" : where.map(({ label }) => label).join("; ")
    }</p>
<ul class="ids">${links}</ul></li>\n`;
  });
  return markup`<section aria-labelledby="issues-title">
<h2 id="issues-title">Known issues</h2>
<ul class="issues">${items}</ul>
</section>`;
}
