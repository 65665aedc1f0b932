/**
 * Our KTAP, flat and with subtests, before perl's harness. No VM is booted, but perl is downloaded.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Outcome } from "../../core/outcome.ts";
import type { RunReport } from "../../report/model.ts";
import { renderReport } from "../../report/render.ts";
import { exampleReport } from "../support/example_run.ts";
import { openProve } from "../support/prove.ts";
import { testProgress } from "./support.ts";

const GOOD: readonly Outcome[] = ["pass", "warn", "skip", "retried", "expected-fail"];

/** A run without what is wrong in another. */
function good(): RunReport {
  const report = exampleReport();
  const cases = report.cases.filter(({ verdict }) =>
    verdict !== undefined && GOOD.includes(verdict.outcome)
  );
  return { ...report, cases };
}

Deno.test("prove agrees on which directions of a run failed", async () => {
  const prove = await openProve(testProgress());
  const failed = await prove(renderReport("ktap", exampleReport()));
  assert.equal(failed.success, false);
  assert.match(failed.text, /Tests: 2 Failed: 1\)\n +Failed test: +1\n/);
  assert.doesNotMatch(failed.text, /Parse errors/);
  assert.equal((await prove(renderReport("ktap", good()))).success, true);
  const stopped = await prove(renderReport("ktap", exampleReport(1)));
  assert.match(stopped.text, /Bad plan/, "a stopped run lacks a direction");
  assert.equal(stopped.success, false);
});

Deno.test("prove agrees on which cases of the flat form failed or were skipped", async () => {
  const prove = await openProve(testProgress());
  const failed = await prove(renderReport("ktap-flat", exampleReport()), "--directives");
  assert.equal(failed.success, false);
  assert.match(failed.text, /Tests: 12 Failed: 5\)\n +Failed tests: +2, 5-6, 8-9\n/);
  assert.match(failed.text, /ok 3 host-server\/seqpacket\/bounds\/kept # skip/i);
  assert.doesNotMatch(failed.text, /Parse errors/);
  assert.equal((await prove(renderReport("ktap-flat", good()))).success, true);
  assert.equal((await prove(renderReport("ktap-flat", exampleReport(1)))).success, false);
});
