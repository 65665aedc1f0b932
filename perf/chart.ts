/**
 * A comparison as a picture: a lane for each measurement, on it the ratio of ours to C of every
 * round, their range, and the ratio of the medians; 1 is C.
 *
 * @module
 */
// @ts-types="npm:@types/d3-scale@^4"
import { type ScaleLinear, scaleLinear } from "d3-scale";
// @ts-types="npm:@types/d3-shape@^3"
import { symbol, symbolDiamond, symbolTriangle } from "d3-shape";
import { type Markup, markup } from "../report/markup.ts";
import {
  type Comparison,
  comparisonText,
  headOf,
  type Row,
  standingText,
  summarise,
  type Summary,
  targetText,
} from "./comparison.ts";

const WIDTH = 860;
const LANE = 46;
const MARGIN = { top: 34, right: 24, bottom: 44, left: 24, label: 220 };

const STYLE = `
svg { font: 13px system-ui, sans-serif; color-scheme: light dark; --ink: #1b2027; --dim: #59636e;
  --line: #dde2e8; --met: #18794e; --missed: #c22117; --open: #8a5d00; background: #fff; }
@media (prefers-color-scheme: dark) { svg { --ink: #e7eaee; --dim: #9ba6b2; --line: #2c333c;
  --met: #4ac28a; --missed: #ff7a70; --open: #e5b64a;
  background: #191d23; } }
text { fill: var(--ink); } .dim { fill: var(--dim); } line { stroke: var(--line); }
.one { stroke: var(--dim); stroke-dasharray: 3 3; }
.met { fill: var(--met); stroke: var(--met); } .missed { fill: var(--missed); stroke: var(--missed); }
.open { fill: var(--open); stroke: var(--open); }
.range { stroke-width: 6; stroke-opacity: 0.25; } .round { fill-opacity: 0.5; stroke: none; }
.target { fill: none; stroke: var(--dim); }`;

type Scale = ScaleLinear<number, number>;

/** The picture as a file of its own. */
export function comparisonSvg(comparison: Comparison): string {
  return `${drawing(comparison).text}\n`;
}

/** The picture and the figures as a page, without anything from elsewhere. */
export function comparisonHtml(comparison: Comparison): string {
  const title = "Ours and C: vsock-conformance perf compare";
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${"body{margin:2rem auto;max-width:60rem;padding:0 1rem;font-family:system-ui,sans-serif;color-scheme:light dark}svg{max-width:100%;height:auto}pre{overflow-x:auto}"}</style>
</head>
<body>
<h1>${title}</h1>
${drawing(comparison)}
<pre>${lines(comparisonText(comparison))}</pre>
</body>
</html>
`.text;
}

/** Text whose line ends stay line ends. */
function lines(text: string): Markup[] {
  return text.split("\n").map((line) =>
    markup`${line}
`
  );
}

function drawing(comparison: Comparison): Markup {
  const rows = comparison.rows.map((row) => ({ row, summary: summarise(row) }));
  const scale = scaleOf(rows);
  const height = MARGIN.top + LANE * rows.length + MARGIN.bottom;
  const bottom = height - MARGIN.bottom;
  const grid = scale.ticks(8).map((tick) =>
    markup`<line x1="${px(scale(tick))}" x2="${px(scale(tick))}" y1="${MARGIN.top}" y2="${bottom}" \
class="${tick === 1 ? "one" : ""}"/><text x="${px(scale(tick))}" y="${bottom + 16}" \
text-anchor="middle" class="dim">${tick}</text>`
  );
  const [caption = ""] = headOf(comparison);
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" \
role="img" aria-label="${inWords(rows)}"><style>${STYLE}</style>
<text x="${MARGIN.left}" y="20">${caption}</text>
${grid}${rows.map((entry, i) => lane(entry, scale, MARGIN.top + LANE * i))}
<text x="${px(scale(1))}" y="${bottom + 34}" text-anchor="middle" class="dim">ratio of ours to C; \
a triangle is the target</text>
</svg>`;
}

interface Entry {
  readonly row: Row;
  readonly summary: Summary;
}

function scaleOf(rows: readonly Entry[]): Scale {
  const all = rows.flatMap(({ row, summary }) => [...summary.spread, row.target, 1]);
  return scaleLinear([Math.min(...all), Math.max(...all)], [
    MARGIN.left + MARGIN.label,
    WIDTH - MARGIN.right,
  ]).nice();
}

function lane({ row, summary }: Entry, scale: Scale, top: number): Markup {
  const middle = top + LANE / 2;
  const { ratio, spread: [least, most], target: kind } = summary;
  const rounds = row.ours.map((value, i) =>
    markup`<circle cx="${px(scale(value / (row.c[i] ?? NaN)))}" cy="${middle}" r="3" \
class="round ${kind}"/>`
  );
  const better = row.better === "more" ? "more is better" : "less is better";
  return markup`<g><title>${row.what}: ${ratio.toFixed(2)} of C, ${targetText(row)}: \
${standingText(summary)}</title>
<text x="${MARGIN.left}" y="${middle}">${row.what}</text>
<text x="${MARGIN.left}" y="${middle + 15}" class="dim">${better}</text>
<line x1="${px(scale(least))}" x2="${px(scale(most))}" y1="${middle}" y2="${middle}" \
class="range ${kind}"/>${rounds}
<path d="${symbol(symbolDiamond, 90)() ?? ""}" transform="translate(${
    px(scale(ratio))
  } ${middle})" \
class="${kind}"/>
<path d="${symbol(symbolTriangle, 40)() ?? ""}" \
transform="translate(${px(scale(row.target))} ${middle + 12})" class="target"/></g>`;
}

function inWords(rows: readonly Entry[]): string {
  return rows.map(({ row, summary }) =>
    `${row.what}: ${summary.ratio.toFixed(2)} of C, ${targetText(row)}, ${standingText(summary)}`
  ).join("; ");
}

function px(value: number): string {
  return value.toFixed(1).replace(/\.0$/, "");
}
