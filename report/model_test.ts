import assert from "node:assert/strict";
import type { RunEvent } from "../core/event.ts";
import { countOutcomes } from "../core/outcome.ts";
import { EXAMPLE_PLAN, exampleReport, playExample } from "../tests/support/example_run.ts";
import { countsOf, replay, ReportBuilder, verdictsOf } from "./model.ts";

const SETTING = { argv: [], startedAt: new Date(0), caseTimeout: 1, plan: EXAMPLE_PLAN };

/** The events that are played. */
function recorded(play: (sink: (event: RunEvent) => void) => void): RunEvent[] {
  const events: RunEvent[] = [];
  play((event) => events.push(event));
  return events;
}

Deno.test("ReportBuilder has the whole plan, with what is known of each case", () => {
  const { cases, ...rest } = exampleReport(4);
  assert.deepEqual(cases.map(({ id }) => id), EXAMPLE_PLAN.map((planned) => planned.case.id));
  assert.deepEqual(cases.map(({ verdict }) => verdict?.outcome), [
    ...["pass", "fail", "skip", "warn"],
    ...Array(8).fill(undefined),
  ]);
  assert.equal(cases[1]?.kcidb, "vsock-conformance.host-server.stream.close.keeps-data");
  assert.equal(new Set(cases.map(({ kcidb }) => kcidb)).size, cases.length);
  assert.equal(cases[2]?.upstream, "SOCK_SEQPACKET msg bounds");
  assert.deepEqual(cases.slice(2, 5).map(({ level }) => level), ["must", "should", "must"]);
  assert.deepEqual(rest.stopped, { reason: "interrupted" });
  assert.equal(rest.milliseconds, 184_000);
});

Deno.test("ReportBuilder says in which case a run was stopped", () => {
  assert.deepEqual(exampleReport(4, true).stopped, { reason: "interrupted", during: 5 });
  assert.equal(exampleReport().stopped, undefined);
});

Deno.test("ReportBuilder counts what was done again, and has what made the run", () => {
  const why = "the guest's QEMU ended: \u001b[2Jno";
  assert.deepEqual(exampleReport().retries, [{ what: "boot", why }]);
  const builder = new ReportBuilder(SETTING);
  const retry = { type: "retry", what: "boot", why } as const;
  for (const event of [retry, retry, { ...retry, times: 3 }]) builder.sink(event);
  playExample(builder.sink);
  const report = builder.report();
  assert.deepEqual(report?.retries, [{ what: "boot", why, times: 6 }]);
  assert.deepEqual(report.again, ["lab", "--kernel", "./my kernel"]);
  assert.equal(report.lab?.vms.length, 2);
});

Deno.test("ReportBuilder takes a verdict back that is amended", () => {
  const builder = new ReportBuilder(SETTING);
  for (const event of recorded(playExample)) {
    builder.sink(event);
    if (event.type !== "case-end" || event.verdict.outcome !== "pass") continue;
    const verdict = { ...event.verdict, outcome: "fail", reasons: ["late"] } as const;
    builder.sink({ ...event, type: "case-amended", verdict });
  }
  const outcomes = builder.report()?.cases.map(({ verdict }) => verdict?.outcome) ?? [];
  assert.ok(outcomes.includes("fail") && !outcomes.includes("pass"), outcomes.join());
});

Deno.test("a report says with which seed a case is repeated, where rounds have seeds of their own", () => {
  const builder = new ReportBuilder(SETTING);
  const [planned] = EXAMPLE_PLAN;
  const events = recorded(playExample);
  const start = events.find(({ type }) => type === "run-start");
  assert.ok(planned !== undefined && start !== undefined);
  builder.sink(start);
  for (const [round, outcome] of [[1, "pass"], [2, "fail"], [3, "pass"]] as const) {
    builder.sink({ type: "round-start", round, seed: round * 10 });
    const run = { number: 1, id: planned.case.id, direction: planned.direction };
    const verdict = { outcome, reasons: [], milliseconds: 1 };
    builder.sink({ type: "case-end", run, title: "", verdict });
  }
  const report = builder.report() ?? assert.fail();
  assert.equal(report.cases[0]?.seed, 20);
  const again = recorded((sink) => replay(report, sink)).find(({ type }) => type === "case-end");
  assert.ok(again?.type === "case-end" && again.seed === 20);
});

Deno.test("ReportBuilder has no report of a run that has not begun", () => {
  assert.equal(new ReportBuilder(SETTING).report(), undefined);
});

Deno.test("ReportBuilder takes a run without an end for one that was stopped", () => {
  const builder = new ReportBuilder(SETTING);
  for (const event of recorded(playExample).slice(0, 7)) builder.sink(event);
  const report = builder.report();
  assert.deepEqual(report?.stopped, { reason: "the tool could not go on", during: 3 });
  assert.equal(report.milliseconds, 11, "the sum of its cases");
});

Deno.test("replay() plays the events from which a report was folded", () => {
  for (const [stopAfter, during] of [[undefined, false], [0, false], [3, true], [7, true]]) {
    const [after, within] = [stopAfter as number | undefined, during as boolean];
    assert.deepEqual(
      recorded((sink) => replay(exampleReport(after, within), sink)),
      recorded((sink) => playExample(sink, after, within)),
    );
  }
});

Deno.test("countsOf() counts the verdicts there are", () => {
  const report = exampleReport(3);
  assert.equal(verdictsOf(report).length, 3);
  assert.deepEqual(countsOf(report), countOutcomes(verdictsOf(report)));
});
