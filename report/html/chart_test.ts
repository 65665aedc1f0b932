import assert from "node:assert/strict";
import type { Outcome } from "../../core/outcome.ts";
import { exampleReport } from "../../tests/support/example_run.ts";
import { xmlTree } from "../../tests/support/xml.ts";
import { timingChart } from "./chart.ts";
import type { ReportedCase, RunReport } from "../model.ts";

const DEADLINE = 60_000;
/** The widest that a character of the chart's 12 pixels is on average, and how high a line is. */
const CHARACTER = 7;
const [ASCENT, DESCENT] = [10, 3];

interface Box {
  readonly what: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** A report of cases that took these times, in both directions. */
function taking(times: readonly number[], directions = ["host-server", "guest-server"]): RunReport {
  const [first] = exampleReport().cases;
  assert.ok(first !== undefined);
  const cases = directions.flatMap((direction) =>
    times.map((milliseconds, i): ReportedCase => {
      const outcome: Outcome = milliseconds >= DEADLINE ? "timeout" : "pass";
      const verdict = { outcome, reasons: [], milliseconds };
      const id = `stream/a-topic-with-a-name/claims-that-something-holds-${i}`;
      return { ...first, id, direction: direction as ReportedCase["direction"], verdict };
    })
  );
  return { ...exampleReport(), caseTimeout: DEADLINE, cases };
}

/** The pictures of a report: their sizes, texts and signs. */
function pictures(report: RunReport) {
  const chart = timingChart(report);
  assert.ok(typeof chart !== "string");
  const all = chart.text.match(/<svg class="chart"[^]*?<\/svg>/g) ?? [];
  assert.equal(all.length, 2);
  return all.map((svg) => {
    const { attributes, children } = xmlTree(svg);
    const [, , width = 0, height = 0] = attributes.viewBox?.split(" ").map(Number) ?? [];
    const texts = children.filter(({ name }) => name === "text").map(({ attributes, text }) => {
      const [x, y] = [Number(attributes.x), Number(attributes.y)];
      const length = CHARACTER * text.length;
      const anchor = attributes["text-anchor"];
      const left = anchor === "middle" ? x - length / 2 : anchor === "end" ? x - length : x;
      return { what: text, left, right: left + length, top: y - ASCENT, bottom: y + DESCENT };
    });
    const signs = children.filter(({ name }) => name === "use").map(({ attributes, text }): Box => {
      const [x, y] = [Number(attributes.x), Number(attributes.y)];
      const [wide, high] = [Number(attributes.width), Number(attributes.height)];
      return { what: text, left: x, right: x + wide, top: y, bottom: y + high };
    });
    return { width, height, texts, signs };
  });
}

const overlap = (a: Box, b: Box) =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

const many = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

const REPORTS: Readonly<Record<string, RunReport>> = {
  "all at the deadline": taking(many(30, DEADLINE)),
  "just before and behind it": taking([...many(9, DEADLINE - 900), ...many(9, DEADLINE + 900)]),
  "from one to the other end": taking([1, 2, 5, 9, 30, 100, 700, 900, 2000, 15_000, DEADLINE]),
  "one direction": taking([...many(60, 20), 16_000, 60_000], ["loopback"]),
  "all alike, far from it": taking(many(40, 12)),
  "far beyond it": taking([1, 40_000_000, 1_000_000_000]),
  "all of the example": exampleReport(),
};

Deno.test("timingChart() has no text upon another, upon a sign, or outside", () => {
  for (const [name, report] of Object.entries(REPORTS)) {
    for (const { width, height, texts, signs } of pictures(report)) {
      for (const [i, text] of texts.entries()) {
        const where = `${name}, ${width} wide: "${text.what}"`;
        assert.ok(text.left >= 0 && text.right <= width, `${where} is outside`);
        assert.ok(text.top >= 0 && text.bottom <= height, `${where} is above or below`);
        const hit = [...texts.slice(i + 1), ...signs].find((other) => overlap(text, other));
        assert.equal(hit, undefined, `${where} is upon "${hit?.what}"`);
      }
    }
  }
});

Deno.test("timingChart() keeps numbers on the axis, and the deadline's name where a case came near it", () => {
  for (const [name, report] of Object.entries(REPORTS)) {
    for (const { texts } of pictures(report)) {
      const ticks = texts.filter(({ what }) => /^\d+ m?s$/.test(what));
      assert.ok(ticks.length >= 2, `${name}: ${ticks.length} numbers`);
      const isNear = name !== "all alike, far from it";
      assert.equal(texts.some(({ what }) => what.startsWith("deadline ")), isNear, name);
    }
  }
});
