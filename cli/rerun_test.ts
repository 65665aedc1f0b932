import assert from "node:assert/strict";
import type { Outcome } from "../core/outcome.ts";
import type { Direction } from "../core/plan.ts";
import { NOTHING_LEFT } from "../core/parallel_leaks.ts";
import type { ReportedCase, RunReport } from "../report/model.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import { exampleReport } from "../tests/support/example_run.ts";
import { rerunOf } from "./rerun.ts";
import { UsageError } from "../core/error.ts";

const IDS = CATALOGUE.filter(({ alone }) => alone === undefined).map(({ id }) => id);
const ALONE = CATALOGUE.find(({ alone }) => alone !== undefined)?.id ?? assert.fail();

/** A run in which cases ended so; without an outcome one did not run. */
function runOf(...endings: readonly (readonly [string, Outcome?, Direction?])[]): RunReport {
  const [entry] = exampleReport().cases;
  const cases = endings.map(([id, outcome, direction = "host-server"]): ReportedCase => {
    const { verdict: _, ...rest } = { ...(entry ?? assert.fail()), id, direction };
    const verdict = outcome && { outcome, reasons: [], milliseconds: 1 };
    return verdict === undefined ? rest : { ...rest, verdict };
  });
  return { ...exampleReport(), cases };
}

const chosen = (report: RunReport, strict = false) => {
  const rerun = rerunOf(report, "run.json", strict);
  return report.cases.filter(({ id, direction }) => rerun.wants(id, direction)).map(({ id }) => id);
};

Deno.test("rerunOf() wants what failed or did not run, where it did", () => {
  const outcomes: readonly Outcome[] = [
    ...["fail", "timeout", "broken", "unexpected-pass"] as const,
    ...["pass", "skip", "expected-fail", "warn", "retried"] as const,
  ];
  const endings = outcomes.map((outcome, i) => [IDS[i] ?? "", outcome] as const);
  const report = runOf(...endings, [IDS[9] ?? ""]);
  assert.deepEqual(chosen(report), [...IDS.slice(0, 4), IDS[9]]);
  assert.deepEqual(chosen(report, true), [...IDS.slice(0, 4), ...IDS.slice(7, 10)]);
  const [id = ""] = IDS;
  const both = runOf([id, "pass", "host-server"], [id, "fail", "guest-server"]);
  const rerun = rerunOf(both, "x", false);
  assert.deepEqual([rerun.wants(id, "host-server"), rerun.wants(id, "guest-server")], [
    false,
    true,
  ]);
  assert.equal(rerun.seed, 42);
});

Deno.test("rerunOf() wants all that may have left something, where something was left", () => {
  const [one = "", two = ""] = IDS;
  const report = runOf([one, "pass"], [two, "skip"], [ALONE, "pass"], [NOTHING_LEFT.id, "fail"]);
  assert.deepEqual(chosen(report), [one, two]);
});

Deno.test("rerunOf() refuses a run in which nothing failed, or of which this version knows too little", () => {
  const refused = (report: RunReport, says: RegExp) =>
    assert.throws(() => rerunOf(report, "run.json", false), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, says);
      return true;
    });
  refused(runOf([IDS[0] ?? "", "pass"]), /^Nothing failed in run\.json/);
  refused(runOf(["stream/of/yore", "fail"]), /this version has no case stream\/of\/yore$/);
});
