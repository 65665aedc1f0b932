import assert from "node:assert/strict";
import fc from "fast-check";
import { exitCode, type Outcome } from "../core/outcome.ts";
import { NOTHING_LEFT } from "../core/parallel_leaks.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import { exampleNotStarted, exampleReport } from "../tests/support/example_run.ts";
import {
  kselftestLog,
  kunitLevel,
  linaro,
  namify,
  nipa,
  openqa,
  type Read,
  slugify,
} from "../tests/support/ktap_readers.ts";
import { countsOf, type RunReport } from "./model.ts";
import { renderReport } from "./render.ts";

const plain = { serializer: (text: string) => text };

Deno.test("KtapFlatWriter writes every outcome", async (t) => {
  await t.assertSnapshot(renderReport("ktap-flat", exampleReport()), plain);
});

Deno.test("KtapFlatWriter writes a run that was stopped", async (t) => {
  await t.assertSnapshot(renderReport("ktap-flat", exampleReport(1)), plain);
});

/** What an outcome is for a reader. */
const READ: Readonly<Record<Outcome, Read>> = {
  pass: "pass",
  warn: "pass",
  retried: "pass",
  "expected-fail": "pass",
  skip: "skip",
  fail: "fail",
  broken: "fail",
  timeout: "fail",
  "unexpected-pass": "fail",
};

/** The cases of a report as each reader is to see them. */
function meant({ cases }: RunReport) {
  return cases.flatMap(({ id, direction, verdict }) =>
    verdict === undefined ? [] : [{
      name: `${direction}/${id}`,
      result: READ[verdict.outcome],
      seconds: Math.round(verdict.milliseconds / 1000),
    }]
  );
}

/** What kselftest's runner logs of a run; progress goes to standard error, which it takes, too. */
function logOf(report: RunReport): { log: string; code: number } {
  const code = report.stopped !== undefined ? 2 : exitCode(countsOf(report));
  const progress = renderReport("text", report);
  return { code, log: kselftestLog(`${progress}${renderReport("ktap-flat", report)}`, code) };
}

/** The example without what failed. */
function good(): RunReport {
  const cases = exampleReport().cases.filter(({ verdict }) =>
    verdict !== undefined && READ[verdict.outcome] !== "fail"
  );
  return { ...exampleReport(), cases };
}

/** The good example with nothing but skips. */
function skipped(): RunReport {
  const cases = good().cases.filter(({ verdict }) => verdict?.outcome === "skip");
  return { ...exampleReport(), cases };
}

Deno.test("netdev's NIPA finds each case in the flat form, and takes no run for skipped that ran", () => {
  for (const [report, result] of [[exampleReport(), "fail"], [good(), "pass"]] as const) {
    const { log, code } = logOf(report);
    const read = nipa(log, code);
    assert.equal(read.result, result);
    assert.deepEqual(
      read.cases,
      meant(report).map(({ name, result, seconds }) => ({
        name: namify(name),
        result,
        ...(result === "skip" ? {} : { time: seconds }),
      })),
    );
  }
  const all = logOf(skipped());
  assert.deepEqual([all.code, nipa(all.log, all.code).result], [4, "skip"]);
  const stopped = logOf(exampleReport(1));
  assert.equal(nipa(stopped.log, stopped.code).result, "fail");
});

Deno.test("netdev's NIPA finds no case in subtests, and one # SKIP there skips the program", () => {
  const log = kselftestLog(renderReport("ktap", good()), 0);
  assert.deepEqual(nipa(log, 0), { result: "skip", cases: [] });
});

Deno.test("Linaro's parser has each case of the flat form once, with a name that stays", () => {
  for (const report of [exampleReport(), good(), skipped(), exampleReport(1)]) {
    const { log, code } = logOf(report);
    const whole = { name: slugify("vsock: conformance.sh") };
    const end = { ...whole, result: code === 0 ? "pass" : code === 4 ? "skip" : "fail" };
    assert.deepEqual(linaro(log), [
      ...meant(report).map(({ name, result }) => ({
        name: `${whole.name}_${slugify(name)}`,
        result,
      })),
      end,
    ]);
  }
});

Deno.test("Linaro's parser takes directions of subtests for one, and a skip's reason for a name", () => {
  const names = linaro(kselftestLog(renderReport("ktap", good()), 0)).map(({ name }) => name);
  assert.ok(names.some((name) => name.endsWith("_dup2")), names.join());
  assert.ok(names.some((name) => name.endsWith("_kept_no_SEQPACKET_the_guest_is_too_old")));
});

Deno.test("openQA finds each case of the flat form, but for skips, in the log of kselftest's runner", () => {
  for (const report of [exampleReport(), good(), skipped()]) {
    const { log, code } = logOf(report);
    const cases = meant(report).filter(({ result }) => result !== "skip")
      .map(({ name, result }) => ({ name, result }));
    assert.deepEqual(openqa(log), [{
      name: "selftests:vsock:conformance_sh",
      result: code === 0 ? "pass" : code === 4 ? "skip" : "fail",
      cases,
    }]);
  }
  assert.deepEqual(openqa(renderReport("ktap-flat", good())), [], "it wants the runner's log");
});

Deno.test("kunit.py reads the flat form, but takes a skip for a pass: it is to get subtests", () => {
  const report = exampleReport();
  assert.deepEqual(
    kunitLevel(renderReport("ktap-flat", report)),
    meant(report).map(({ name, result }) => ({
      name,
      result: result === "fail" ? "fail" : "pass",
    })),
  );
  assert.throws(() => kunitLevel(renderReport("ktap-flat", exampleReport(1))), /misses results/);
});

Deno.test("all cases there are have names that no reader takes for another's", () => {
  const names = [...CATALOGUE, NOTHING_LEFT].flatMap(({ id }) =>
    ["host-server", "guest-server", "loopback"].map((direction) => `${direction}/${id}`)
  );
  for (const made of [namify, slugify]) {
    const seen = new Set(names.map(made));
    assert.equal(seen.size, names.length);
  }
});

Deno.test("no text in the flat form is a result for any reader, or skips or fails the program", () => {
  const nasty = fc.constantFrom(
    ...[
      "ok 1 a",
      "not ok 1 a",
      "# ok 1 a",
      "# # not ok 2 b # SKIP",
      " # SKIP x",
      "SKIP: x",
      "[SKIP]",
    ],
    ...["[FAIL]", " FAIL: x", "TAP version 13", "1..0 # SKIP", "Bail out!", "selftests: a: b"],
    ...["ok 1 selftests: a: b", "\nok 1 a", "# selftests: a: b", "[ OK ]", "time=5ms", "#"],
  );
  const text = fc.array(fc.oneof(nasty, fc.string({ unit: "binary", maxLength: 9 })), {
    maxLength: 4,
  }).map((parts) => parts.join(""));
  const clean = logOf(good());
  const before = [nipa(clean.log, 0), linaro(clean.log), openqa(clean.log)];
  fc.assert(fc.property(text, (text) => {
    const report = {
      ...good(),
      ends: good().ends.map((end) => ({ ...end, kernel: text })),
      cases: good().cases.map((entry) => ({
        ...entry,
        ...(entry.verdict === undefined ? {} : { verdict: { ...entry.verdict, reasons: [text] } }),
      })),
    };
    const log = kselftestLog(renderReport("ktap-flat", report), 0);
    assert.deepEqual([nipa(log, 0), linaro(log), openqa(log)], before);
  }));
});

Deno.test("KtapFlatWriter bails out of a run that did not start, or was stopped", () => {
  const text = renderReport("ktap-flat", exampleNotStarted("no # QEMU"));
  assert.equal(text, "TAP version 13\n1..12\nBail out! no # QEMU\n");
  assert.match(
    renderReport("ktap-flat", exampleReport(4)),
    /\nBail out! interrupted \(8 cases did not run\)\n$/,
  );
});

Deno.test("KtapFlatWriter ends with totals as kselftest's programs do", () => {
  assert.match(
    renderReport("ktap-flat", exampleReport()),
    /\n# Totals: pass:5 fail:3 xfail:1 xpass:1 skip:1 error:1\n$/,
  );
});
