import assert from "node:assert/strict";
import type { Outcome, Verdict } from "../core/outcome.ts";
import { exampleNotStarted, exampleReport } from "../tests/support/example_run.ts";
import { comparable, diffReports, diffText, isRegression } from "./diff.ts";
import type { RunReport } from "./model.ts";

type Ending = Outcome | undefined;

/** A report of one case that ended like this. */
function one(outcome: Ending, more: Partial<Verdict> = {}): RunReport {
  const report = exampleReport(outcome === undefined ? 0 : undefined);
  const cases = report.cases.slice(0, 1).map((entry) =>
    outcome === undefined
      ? entry
      : { ...entry, verdict: { outcome, reasons: [], milliseconds: 10, ...more } }
  );
  return { ...report, cases };
}

/** The kind of change between two endings of one case. */
function kindOf(before: RunReport, after: RunReport): string | undefined {
  const [change, ...others] = diffReports(before, after);
  assert.deepEqual(others, []);
  return change?.kind;
}

const OUTCOMES: readonly Ending[] = [
  ...["pass", "warn", "skip", "fail", "timeout", "broken", "expected-fail"] as const,
  undefined,
];

Deno.test("diffReports() knows what each pair of outcomes means", () => {
  const table = Object.fromEntries(OUTCOMES.map((before) => [
    String(before),
    OUTCOMES.map((after) => kindOf(one(before), one(after)) ?? "-").join(" "),
  ]));
  const bad = "regressed regressed regressed regressed";
  assert.deepEqual(table, {
    //        pass warn skip, fail timeout broken expected-fail, did not run
    pass: `- otherwise unchecked ${bad} unchecked`,
    warn: `otherwise - unchecked ${bad} unchecked`,
    skip: `otherwise otherwise - ${bad} otherwise`,
    fail: "fixed fixed otherwise - otherwise otherwise otherwise otherwise",
    timeout: "fixed fixed otherwise otherwise - otherwise otherwise otherwise",
    broken: "fixed fixed otherwise otherwise otherwise - otherwise otherwise",
    "expected-fail": "fixed fixed otherwise regressed regressed regressed - otherwise",
    undefined: `otherwise otherwise otherwise ${bad} -`,
  });
});

Deno.test("diffReports() compares reasons apart from their numbers", () => {
  const failed = (reason: string) => one("fail", { reasons: [reason] });
  assert.equal(
    kindOf(failed("recv(3): EPIPE after 12 ms"), failed("recv(7): EPIPE after 3 ms")),
    undefined,
  );
  assert.equal(kindOf(failed("recv(3): EPIPE"), failed("recv(3): ECONNRESET")), "otherwise");
});

Deno.test("diffReports() takes a case for slower by factor and by time", () => {
  const took = (milliseconds: number) => one("pass", { milliseconds });
  assert.equal(kindOf(took(10), took(900)), undefined, "not by a second");
  assert.equal(kindOf(took(9000), took(11_000)), undefined, "not twice as long");
  assert.equal(kindOf(took(1000), took(2000)), "slower");
  assert.equal(kindOf(took(2000), took(1000)), undefined);
});

Deno.test("diffReports() has cases that only one of the plans has", () => {
  const all = exampleReport();
  const some = { ...all, cases: all.cases.slice(2) };
  assert.deepEqual(diffReports(some, all).map(({ kind }) => kind), ["new", "new"]);
  assert.deepEqual(diffReports(all, some).map(({ kind }) => kind), ["gone", "gone"]);
  assert.deepEqual(diffReports(all, all), []);
});

Deno.test("isRegression() is true where a case fails newly or is not checked any more", () => {
  const regression = (before: Ending, after: Ending) =>
    isRegression(diffReports(one(before), one(after)));
  assert.deepEqual(OUTCOMES.map((after) => regression("pass", after)), [
    ...[false, false, true, true, true, true, true, true],
  ]);
  assert.ok(OUTCOMES.every((after) => !regression("fail", after)));
});

Deno.test("isRegression() is true where what was judged is gone, unless that is meant", () => {
  const all = exampleReport();
  const few = { ...all, cases: all.cases.slice(0, 3) };
  const changes = diffReports(all, few);
  assert.equal(isRegression(changes), true);
  assert.equal(isRegression(changes, { subset: true }), false);
  const gone = (outcome: Ending) =>
    isRegression(one(outcome).cases.map((before) => ({ kind: "gone", before })));
  assert.deepEqual(OUTCOMES.map(gone), [true, true, false, true, true, true, true, false]);
  const worse = diffReports(one("pass"), one("fail"));
  assert.equal(isRegression(worse, { subset: true }), true);
});

Deno.test("diffText() names in its first line what the two runs differ in besides time", () => {
  const before = exampleReport();
  const [host, guest] = before.ends;
  assert.ok(host !== undefined && guest !== undefined);
  const firstLine = (after: Partial<RunReport>) =>
    diffText(before, { ...before, ...after }).split("\n")[0];
  assert.match(firstLine({ seed: 7 }) ?? "", /^before: /);
  assert.equal(
    firstLine({ ends: [host, { ...guest, kernel: "6.12.1\u001b" }] }),
    "these differ: guest: Linux 7.3.4 x86_64 -> Linux 6.12.1\u241b x86_64",
  );
  assert.equal(
    firstLine({ topology: "three-cids", ends: [{ ...host, machine: "aarch64" }, guest] }),
    "these differ: topology: guest-host -> three-cids; " +
      "host: Linux 7.3.4 x86_64 -> Linux 7.3.4 aarch64",
  );
  assert.equal(
    firstLine({ topology: "loopback", ends: [{ ...host, name: "loopback" }] }),
    "these differ: topology: guest-host -> loopback; host: Linux 7.3.4 x86_64 -> none; " +
      "guest: Linux 7.3.4 x86_64 -> none; loopback: none -> Linux 7.3.4 x86_64",
  );
});

Deno.test("diffText() says that a run did not start", () => {
  const text = diffText(exampleReport(), exampleNotStarted("no QEMU"));
  assert.match(text, /^before: [^\n]*CID 3\nafter: {2}[^\n]*did not start: no QEMU\n/);
  assert.match(text, /\nheld before, not checked now \(6\)\n/);
});

Deno.test("diffText() counts what is meant to be gone, and does not list it", () => {
  const all = exampleReport();
  const few = { ...all, cases: all.cases.slice(0, 3) };
  assert.match(diffText(all, few), /\ncases that are gone \(9\)\n {2}seqpacket/);
  const meant = diffText(all, few, { subset: true });
  assert.match(meant, /\n\n9 cases of the earlier run are not in the later one: --subset\n$/);
  assert.doesNotMatch(meant, /seqpacket/);
});

Deno.test("comparable() is false for runs without a case in common", () => {
  const [first, ...others] = exampleReport().cases;
  assert.ok(first !== undefined);
  const before = { ...exampleReport(), cases: [first] };
  assert.equal(comparable(before, { ...exampleReport(), cases: others }), false);
  assert.equal(comparable(before, exampleReport()), true);
});

Deno.test("diffText() says what changed, the worst first", async (t) => {
  const before = exampleReport();
  const after = exampleReport(7, true);
  const [first, second, third, fourth, ...others] = after.cases;
  assert.ok(first?.verdict && second?.verdict && third?.verdict && fourth?.verdict);
  const changed: RunReport = {
    ...after,
    startedAt: "2026-03-02T12:00:00.000Z",
    cases: [
      { ...first, verdict: { ...first.verdict, outcome: "fail", reasons: ["a\u001b[2J"] } },
      { ...second, verdict: { ...second.verdict, outcome: "pass", reasons: [] } },
      { ...third, id: "seqpacket/bounds/new" },
      { ...fourth, verdict: { ...fourth.verdict, milliseconds: 5000 } },
      ...others,
    ],
  };
  const plain = { serializer: (text: string) => text };
  await t.assertSnapshot(diffText(before, changed), plain);
  assert.match(diffText(before, before), /\n\nnothing changed\n$/);
});
