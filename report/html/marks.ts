/**
 * The sign of each way in which a case can end: a shape, besides a colour, wherever it is shown.
 *
 * @module
 */
// @ts-types="npm:@types/d3-shape@^3"
import {
  symbol,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTriangle,
  type SymbolType,
} from "d3-shape";
import type { Outcome } from "../../core/outcome.ts";
import { type Markup, markup } from "../markup.ts";
import type { ReportedCase } from "../model.ts";

/** How a case ended, or that it did not run. */
export type Ending = Outcome | "left";

/** What each ending is called after a number. */
export const ENDINGS_TEXT: Readonly<Record<Ending, string>> = {
  pass: "passed",
  warn: "warned",
  retried: "retried",
  fail: "failed",
  timeout: "timed out",
  broken: "broken",
  skip: "skipped",
  "expected-fail": "failed as expected",
  "unexpected-pass": "passed unexpectedly",
  left: "did not run",
};

/** All endings, in the order in which they are shown. */
export const ENDINGS: readonly Ending[] = Object.keys(ENDINGS_TEXT) as Ending[];

const SHAPES: Readonly<Record<Ending, { type: SymbolType; size: number; turn?: number }>> = {
  pass: { type: symbolCircle, size: 90 },
  warn: { type: symbolTriangle, size: 80 },
  retried: { type: symbolStar, size: 70 },
  fail: { type: symbolCross, size: 90, turn: 45 },
  timeout: { type: symbolDiamond, size: 90 },
  broken: { type: symbolSquare, size: 100 },
  skip: { type: symbolCircle, size: 60 },
  "expected-fail": { type: symbolCross, size: 60, turn: 45 },
  "unexpected-pass": { type: symbolTriangle, size: 80, turn: 180 },
  left: { type: symbolSquare, size: 50 },
};

/** The ending of a case. */
export function endingOf({ verdict }: Pick<ReportedCase, "verdict">): Ending {
  return verdict?.outcome ?? "left";
}

/** The shapes, once in a page. */
export function marks(): Markup {
  const shapes = ENDINGS.map((ending) => {
    const { type, size, turn = 0 } = SHAPES[ending];
    const path = symbol(type, size)() ?? "";
    return markup`<symbol id="m-${ending}" viewBox="-8 -8 16 16" overflow="visible">\
<path d="${path}" transform="rotate(${turn})"/></symbol>`;
  });
  return markup`<svg width="0" height="0" class="defs" aria-hidden="true">${shapes}</svg>`;
}

/** The shape of an ending; the text beside it says the same. */
export function mark(ending: Ending): Markup {
  return markup`<svg class="mark e-${ending}" width="16" height="16" aria-hidden="true">\
<use href="#m-${ending}"/></svg>`;
}
