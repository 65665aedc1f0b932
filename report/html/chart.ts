/**
 * How long cases took, as a picture: a lane for every direction, a sign for every case.
 *
 * @module
 */
// @ts-types="npm:@types/d3-scale@^4"
import { scaleLog, type ScaleLogarithmic } from "d3-scale";
import type { Direction } from "../../core/plan.ts";
import { type Ending, endingOf } from "./marks.ts";
import { type Markup, markup } from "../markup.ts";
import { byDirection, type ReportedCase, type RunReport } from "../model.ts";
import { duration } from "../../core/duration.ts";

/** A sign's size, and what it keeps from others, in pixels. */
const SIZE = 9;
const STEP = 8;
const MARGIN = { left: 8, right: 8, label: 22, axis: 22 };
/** What stands above all lanes, if anything does: the name of the deadline. */
const HEAD = 18;
/** The width of a character, at most on average, and of what numbers keep from each other. */
const CHARACTER = 7;
const GAP = 8;
/** The picture shows as many powers of ten, or more: fewer have no numbers on the axis. */
const MIN_DECADES = 2;
/** The width from which the slowest case is named in the picture. */
const WIDE = 600;
/** The deadline is shown if the slowest case came this near to it. */
const NEAR_DEADLINE = 4;

interface Sign {
  readonly id: string;
  readonly ending: Ending;
  readonly milliseconds: number;
  readonly x: number;
  readonly y: number;
}

/** Draws the times of a report, for wide and for narrow pages. */
export function timingChart(report: RunReport): Markup | string {
  const ran = report.cases.filter(({ verdict }) => verdict && verdict.outcome !== "skip");
  if (ran.length < 2) return "";
  return markup`<section aria-labelledby="times-title">
<h2 id="times-title">How long cases took</h2>
<figure>
<div class="wide">${chart(ran, report.caseTimeout, 960)}</div>
<div class="narrow">${chart(ran, report.caseTimeout, 360)}</div>
</figure>
</section>`;
}

type Scale = ScaleLogarithmic<number, number>;

/** The numbers on the axis: 1, 2 and 5 of every power of ten where there is room, else fewer. */
function ticksOf(scale: Scale, width: number): number[] {
  const digitOf = (tick: number) => Math.round(tick / 10 ** Math.floor(Math.log10(tick)));
  const isInside = (tick: number) => {
    const half = CHARACTER * tickText(tick).length / 2;
    return scale(tick) - half >= 0 && scale(tick) + half <= width;
  };
  const all = scale.ticks().filter(isInside);
  const fine = all.filter((tick) => [1, 2, 5].includes(digitOf(tick)));
  if (haveRoom(fine, scale)) return fine;
  const powers = all.filter((tick) => digitOf(tick) === 1);
  for (let every = 1;; every++) {
    const some = powers.filter((_, i) => i % every === 0);
    if (haveRoom(some, scale)) return some;
  }
}

/** Whether numbers that stand at their places are apart. */
function haveRoom(ticks: readonly number[], scale: Scale): boolean {
  return ticks.every((tick, i) => {
    const before = ticks[i - 1];
    if (before === undefined) return true;
    const half = CHARACTER * (tickText(before).length + tickText(tick).length) / 2;
    return scale(tick) - scale(before) >= half + GAP;
  });
}

function chart(cases: readonly ReportedCase[], deadline: number, width: number): Markup {
  const times = cases.map(timeOf);
  const slowest = Math.max(...times);
  const showDeadline = slowest * NEAR_DEADLINE >= deadline;
  const last = 1.2 * Math.max(100, slowest, showDeadline ? deadline : 0);
  const scale = scaleLog([Math.min(...times, last / 10 ** MIN_DECADES), last], [
    MARGIN.left + SIZE,
    width - MARGIN.right - SIZE,
  ]);
  const head = showDeadline ? HEAD : 0;
  let top = head;
  const lanes = byDirection(cases).map(([direction, group], i) => {
    const rule = i === 0 ? "" : markup`<line y1="${top}" y2="${top}" x2="${width}" class="rule"/>`;
    const { drawn, height } = lane(direction, group, scale, top, width);
    top += height;
    return markup`${rule}${drawn}`;
  });
  const axis = ticksOf(scale, width).map((tick) =>
    markup`<line x1="${px(scale(tick))}" x2="${
      px(scale(tick))
    }" y1="${head}" y2="${top}" class="grid"/>\
<text x="${px(scale(tick))}" y="${top + 16}" text-anchor="middle">${tickText(tick)}</text>`
  );
  const limit = showDeadline ? deadlineMark(deadline, scale, top, width) : "";
  const height = top + MARGIN.axis;
  return markup`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" \
aria-label="${summary(cases)}">${axis}${limit}${lanes}</svg>`;
}

/** The deadline through all lanes, and its name above them, where nothing else stands. */
function deadlineMark(deadline: number, scale: Scale, bottom: number, width: number): Markup {
  const x = scale(deadline);
  const text = `deadline ${duration(deadline)}`;
  const half = CHARACTER * text.length / 2;
  const middle = Math.min(Math.max(x, half), width - half);
  return markup`<line x1="${px(x)}" x2="${px(x)}" y1="${HEAD}" y2="${bottom}" class="deadline"/>\
<text x="${px(middle)}" y="${HEAD - 5}" text-anchor="middle" class="deadline-text">${text}</text>`;
}

function timeOf({ verdict }: ReportedCase): number {
  return Math.max(1, verdict?.milliseconds ?? 0);
}

/** What the picture shows, in words; the table has every number. */
function summary(cases: readonly ReportedCase[]): string {
  const slowest = cases.toSorted((a, b) => timeOf(b) - timeOf(a))[0];
  const times = cases.map(timeOf).sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)] ?? 0;
  const named = slowest === undefined ? "" : `, the slowest was ${slowest.id} with ` +
    duration(timeOf(slowest));
  return `Times of ${cases.length} cases, logarithmic: half took at most ${
    duration(median)
  }${named}. The table below has them all.`;
}

function lane(
  direction: Direction,
  cases: readonly ReportedCase[],
  scale: Scale,
  top: number,
  width: number,
): { drawn: Markup; height: number } {
  const signs = dodge(cases, scale);
  const reach = Math.max(...signs.map(({ y }) => Math.abs(y)));
  const height = MARGIN.label + 2 * reach + 3 * SIZE;
  const middle = top + MARGIN.label + reach + 1.2 * SIZE;
  const drawn = signs.map(({ id, ending, milliseconds, x, y }) =>
    markup`<use href="#m-${ending}" class="e-${ending}" x="${px(x - SIZE / 2)}" \
y="${px(middle + y - SIZE / 2)}" width="${SIZE}" height="${SIZE}">\
<title>${id}: ${ending}, ${duration(milliseconds)}</title></use>`
  );
  const last = signs.at(-1);
  const named = width < WIDE ? "" : `${last?.id}, `;
  const label = markup`<text x="${MARGIN.left}" y="${top + 15}" class="lane">${direction}</text>\
<text x="${width - MARGIN.right}" y="${top + 15}" text-anchor="end">slowest: ${named}${
    duration(last?.milliseconds ?? 0)
  }</text>`;
  return { drawn: markup`${label}${drawn}`, height };
}

/** Puts each sign at its time, and as near to the lane's middle as others leave room. */
function dodge(cases: readonly ReportedCase[], scale: Scale): Sign[] {
  const placed: Sign[] = [];
  for (const entry of cases.toSorted((a, b) => timeOf(a) - timeOf(b))) {
    const milliseconds = timeOf(entry);
    const x = scale(milliseconds);
    const near = placed.filter((sign) => x - sign.x < SIZE);
    let y = 0;
    for (let i = 1; near.some((sign) => Math.abs(sign.y - y) < STEP); i++) {
      y = (i % 2 === 0 ? -1 : 1) * Math.ceil(i / 2) * STEP;
    }
    placed.push({ id: entry.id, ending: endingOf(entry), milliseconds, x, y });
  }
  return placed;
}

function px(value: number): string {
  return value.toFixed(1).replace(/\.0$/, "");
}

function tickText(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds} ms` : `${milliseconds / 1000} s`;
}
