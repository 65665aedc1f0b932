import assert from "node:assert/strict";
import { parse } from "parse5";
import { exampleNotStarted, exampleReport } from "../../tests/support/example_run.ts";
import type { RunReport } from "../model.ts";
import { implementationOf } from "./column.ts";
import { matrixMarkdown } from "./markdown.ts";
import { matrixOf } from "./model.ts";
import { matrixHtml } from "./page.ts";

/** The example on another kernel, with other outcomes of some cases. */
function on(kernel: string, outcomes: Readonly<Record<string, "pass" | "fail">> = {}): RunReport {
  const report = exampleReport();
  const cases = report.cases.map((entry) => {
    const outcome = outcomes[entry.id];
    if (outcome === undefined || entry.verdict === undefined) return entry;
    return { ...entry, verdict: { ...entry.verdict, outcome, reasons: [] } };
  });
  const again = ["lab", "--kernel", kernel];
  const lab = { kernel, vms: [] };
  return { ...report, again, lab, cases };
}

Deno.test("matrixOf() says which cases fail in one of two columns only", () => {
  const [a, b] = [on("debian:6.1"), on("debian:7.3", { "stream/connect/refused": "fail" })];
  const [pair, ...others] = matrixOf([a, b]).pairs;
  assert.deepEqual(others, []);
  assert.deepEqual(pair, {
    columns: [0, 1],
    worse: ["stream/connect/refused"],
    better: [],
    unjudged: [],
    other: [],
  });
  assert.deepEqual(matrixOf([b, a]).pairs[0]?.better, ["stream/connect/refused"]);
  const half = { ...exampleReport(1), lab: { kernel: "debian:6.1", vms: [] } };
  assert.ok((matrixOf([a, half]).pairs[0]?.unjudged.length ?? 0) > 0);
});

Deno.test("matrixOf() compares a run that did not start with nothing, and shows it", () => {
  const reports = [on("debian:6.1"), exampleNotStarted("no kernel 7.9")];
  assert.deepEqual(matrixOf(reports).pairs, []);
  assert.match(matrixHtml(reports), /Did not start: no kernel 7\.9/);
  assert.match(matrixMarkdown(reports), /Did not start: no kernel 7\.9/);
  assert.throws(() => matrixOf([]), /no report/);
});

Deno.test("matrixOf() makes one column of the shards of a run, each case with its own seed", () => {
  const whole = on("debian:6.1");
  const half = (index: number, seed: number): RunReport => ({
    ...whole,
    seed,
    shard: { index, count: 2 },
    cases: whole.cases.filter(({ id }) => (id < "stream/d") === (index === 1)),
  });
  const { columns } = matrixOf([half(1, 5), half(2, 6)]);
  assert.equal(columns.length, 1);
  assert.equal(columns[0]?.report.cases.length, whole.cases.length);
  assert.equal(columns[0]?.report.stopped, undefined);
  const seeds = new Set(columns[0]?.report.cases.map(({ seed }) => seed ?? 5));
  assert.deepEqual([...seeds].sort(), [5, 6]);
  assert.match(matrixOf([half(2, 6)]).columns[0]?.report.stopped?.reason ?? "", /no shard 1 of 2/);
});

Deno.test("a known issue is named, in both forms, and is not counted as a new failure", () => {
  const report = on("debian:6.1");
  const named = report.cases.map((entry) =>
    entry.id === "stream/close/keeps-data" && entry.verdict?.outcome === "fail"
      ? { ...entry, verdict: { ...entry.verdict, reasons: ["known: K-7: send() of memory"] } }
      : entry
  );
  const known = { ...report, cases: named };
  assert.deepEqual(matrixOf([report]).issues, []);
  assert.deepEqual(matrixOf([known]).issues.map(({ name }) => name), ["K-7"]);
  assert.match(matrixMarkdown([known]), /\*\*K-7\*\*: /);
  assert.match(matrixHtml([known]), /<a href="#K-7">K-7<\/a>/);
  const count = (of: RunReport) =>
    Number(/not a known issue: (\d+)/.exec(matrixMarkdown([of]))?.[1]);
  assert.equal(count(known), count(report) - 1);
});

Deno.test("implementationOf() names what was tested, and not how", () => {
  const report = exampleReport();
  const again = ["lab", "--kernel", "k", "--timeout", "9", "--device", "d", "--cold", "--jobs=2"];
  assert.deepEqual(implementationOf({ ...report, lab: { kernel: "k", vms: [] }, again }), {
    name: "k",
    setting: "guest-host, x86_64, --device d --jobs 2",
  });
});

Deno.test("matrixHtml() is a page in which parse5 finds nothing to mend, with each command", () => {
  const page = matrixHtml([on("debian:6.1"), on("./my <kernel>"), exampleNotStarted("<b>")]);
  parse(page, { onParseError: ({ code, startLine }) => assert.fail(`${code}, ${startLine}`) });
  assert.match(page, /lab --kernel debian:6\.1 --seed 42 stream\/connect\/refused</);
  assert.match(page, /lab --kernel debian:6\.1 --seed 42 stream</);
  assert.doesNotMatch(page, /<kernel>|<b>/);
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  assert.deepEqual(ids, [...new Set(ids)]);
});
