import assert from "node:assert/strict";
import {
  type Comparison,
  comparisonJson,
  comparisonText,
  median,
  summarise,
} from "./comparison.ts";
import { comparisonHtml, comparisonSvg } from "./chart.ts";
import { xmlTree } from "../tests/support/xml.ts";

const COMPARISON: Comparison = {
  tool: "0.0.0",
  startedAt: "2026-01-02T03:04:05.000Z",
  over: "AF_UNIX",
  machine: "2 processors <of this kind>",
  c: "gcc & fixtures",
  rows: [
    {
      id: "send-64k",
      what: "send(), 64 KiB, to C",
      unit: "Gbit/s",
      better: "more",
      target: 0.95,
      ours: [10, 30, 20],
      c: [20, 20, 25],
    },
    {
      id: "round-trip",
      what: "round trip",
      unit: "µs",
      better: "less",
      target: 1.25,
      ours: [3, 5, 4],
      c: [4, 4, 4],
    },
  ],
};

Deno.test("median() is the middle, or between the two in the middle", () => {
  assert.equal(median([5, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

Deno.test("summarise() gives the ratio of medians, the spread of neighbours, and whether it is met", () => {
  const [more, less] = COMPARISON.rows.map(summarise);
  assert.deepEqual(more, {
    ours: 20,
    c: 20,
    ratio: 1,
    spread: [0.5, 1.5],
    best: 1.2,
    alike: 0.75,
    chance: 0.375,
    target: "met",
  });
  assert.deepEqual([less?.ratio, less?.best, less?.target], [1, 0.75, "met"]);
  const [first, second] = COMPARISON.rows;
  if (first === undefined || second === undefined) assert.fail("there are two rows");
  const rounds = { ours: [18, 18, 18, 18, 19], c: [20, 20, 20, 20, 20] };
  assert.equal(summarise({ ...first, ...rounds, target: 1 }).target, "missed");
  const slow = { ours: [6, 6, 6, 6, 6], c: [4, 4, 4, 4, 4] };
  assert.equal(summarise({ ...second, ...slow }).target, "missed", "less is better there");
});

Deno.test("summarise() calls a target missed only where chance does not explain it", () => {
  const [row] = COMPARISON.rows;
  assert.ok(row !== undefined);
  // The medians are 0.94 apart, and the pairs spread from 0.83 to 1.70.
  const c = [100, 100, 100, 100, 100, 100, 100];
  const wide = summarise({ ...row, ours: [94, 83, 170, 94, 120, 88, 91], c });
  assert.equal(wide.ratio, 0.94);
  assert.deepEqual(wide.spread, [0.83, 1.7]);
  assert.equal(wide.target, "open");
  assert.ok(wide.alike > 0.5, `${wide.alike}`);
  // The same median, and every pair is there.
  const narrow = summarise({ ...row, ours: [94, 93, 94, 94.5, 93.5, 94.2, 93.8], c });
  assert.equal(narrow.ratio, 0.94);
  assert.equal(narrow.target, "missed");
  assert.ok(narrow.alike < 0.05, `${narrow.alike}`);
  // Of so few nobody knows.
  assert.equal(summarise({ ...row, ours: [80, 80, 80], c: [100, 100, 100] }).target, "open");
});

Deno.test("comparisonText() says whether ours and C differ, and where chance may have it", () => {
  const [row] = COMPARISON.rows;
  assert.ok(row !== undefined);
  const c = [100, 100, 100, 100, 100, 100, 100];
  const text = comparisonText({
    ...COMPARISON,
    rows: [
      { ...row, ours: [94, 83, 170, 94, 120, 88, 91], c },
      { ...row, ours: [94, 93, 94, 94.5, 93.5, 94.2, 93.8], c },
    ],
  });
  assert.match(
    text,
    / not shown \(p = 0\.\d+\) +at least 0\.95: not reached, as chance may have it/,
  );
  assert.match(text, / yes \(p = 0\.016\) +at least 0\.95: missed \(p = 0\.0078\)\n/);
});

Deno.test("comparisonText() shows medians, ratio, spread and target", () => {
  const text = comparisonText(COMPARISON);
  assert.match(text, /^ours and C in turn over AF_UNIX, 3 times each, 2026-01-02\n/);
  assert.match(
    text,
    /\nsend\(\), 64 KiB, to C {2}20\.0 Gbit\/s {2}20\.0 Gbit\/s {2}1\.00 {3}0\.50 to 1\.50 {2}1\.20 +not shown \(p = 0\.75\) +at least 0\.95: met\n/,
  );
});

Deno.test("comparisonJson() has every figure and what follows", () => {
  const { rows } = JSON.parse(comparisonJson(COMPARISON));
  assert.deepEqual(rows[0].ours, [10, 30, 20]);
  assert.equal(rows[1].summary.ratio, 1);
});

Deno.test("comparisonSvg() is XML that says the figures in words, comparisonHtml() has it", () => {
  const svg = comparisonSvg(COMPARISON);
  const root = xmlTree(svg);
  assert.equal(root.name, "svg");
  assert.match(
    root.attributes["aria-label"] ?? "",
    /to C: 1\.00 of C, at least 0\.95, met; round trip: 1\.00 of C, at most 1\.25, met/,
  );
  const circles = svg.match(/<circle /g) ?? [];
  assert.equal(circles.length, 6, "a sign for each round");
  const page = comparisonHtml(COMPARISON);
  assert.ok(page.includes(svg.trimEnd()));
  assert.ok(page.includes("2 processors &lt;of this kind&gt;\n"));
});
