/**
 * Our KTAP before the kernel's own parser. No VM is booted, but the parser is downloaded.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Outcome } from "../../core/outcome.ts";
import type { RunReport } from "../../report/model.ts";
import { renderReport } from "../../report/render.ts";
import { exampleReport } from "../support/example_run.ts";
import { Kunit } from "../support/kunit.ts";
import { testProgress } from "./support.ts";

/** What an outcome is in KTAP, docs/outcomes.md. */
const STATUS: Readonly<Record<Outcome, "PASSED" | "FAILED" | "SKIPPED">> = {
  pass: "PASSED",
  warn: "PASSED",
  retried: "PASSED",
  "expected-fail": "PASSED",
  skip: "SKIPPED",
  fail: "FAILED",
  broken: "FAILED",
  timeout: "FAILED",
  "unexpected-pass": "FAILED",
};

/** The cases of a report as the parser is to see them. */
function expectedCases({ cases }: RunReport) {
  return cases.map(({ id, verdict }) => [verdict && STATUS[verdict.outcome], id] as const);
}

/** How many of them there are of each status, as the parser names that in its summary. */
function expectedCounts(report: RunReport): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [status = "missing"] of expectedCases(report)) {
    const name = status.toLowerCase();
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** A run without what is wrong in another. */
function withoutFailures(report: RunReport): RunReport {
  const cases = report.cases.filter(({ verdict }) =>
    verdict && STATUS[verdict.outcome] !== "FAILED"
  );
  return { ...report, cases };
}

Deno.test("the kernel's kunit.py reads our KTAP as it is meant", async (t) => {
  const kunit = await Kunit.open(testProgress());
  const failed = exampleReport();
  const good = withoutFailures(failed);
  const goodKtap = renderReport("ktap", good);

  await t.step("a run in which all passed or were skipped", async () => {
    const parsed = await kunit.parse(goodKtap);
    assert.deepEqual(parsed.counts, expectedCounts(good));
    assert.deepEqual(Object.keys(parsed.counts), ["passed", "skipped"]);
    assert.deepEqual(parsed.cases, expectedCases(good));
    assert.deepEqual(parsed.errors, []);
    assert.equal(parsed.success, true);
  });

  await t.step("a run with failures of every kind", async () => {
    const parsed = await kunit.parse(renderReport("ktap", failed));
    assert.deepEqual(parsed.counts, expectedCounts(failed));
    assert.deepEqual(Object.keys(parsed.counts), ["passed", "failed", "skipped"]);
    assert.deepEqual(parsed.cases, expectedCases(failed));
    assert.deepEqual(parsed.errors, []);
    assert.equal(parsed.success, false);
  });

  await t.step("a run that was stopped, which is never a success", async () => {
    const { success, errors } = await kunit.parse(renderReport("ktap", exampleReport(1)));
    assert.match(errors.join("\n"), /host-server: missing expected subtest/);
    assert.equal(success, false);
  });

  await t.step("a plan that counts a case too many, as an error", async () => {
    const wrong = goodKtap.replace("\n  1..3\n", "\n  1..4\n");
    assert.notEqual(wrong, goodKtap);
    const { success, errors } = await kunit.parse(wrong);
    assert.deepEqual(errors, ["Test: guest-server: missing expected subtest!"]);
    assert.equal(success, false);
  });

  await t.step("a result that is numbered wrongly, as an error", async () => {
    const wrong = goodKtap.replace("\n  ok 2 ", "\n  ok 7 ");
    assert.notEqual(wrong, goodKtap);
    const { errors } = await kunit.parse(wrong);
    assert.match(errors.join("\n"), /Expected test number 2 but found 7/);
  });
});
