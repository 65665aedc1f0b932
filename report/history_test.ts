import assert from "node:assert/strict";
import { exampleNotStarted, exampleReport } from "../tests/support/example_run.ts";
import { historiesOf, historyText, isWorseNow } from "./history.ts";
import type { RunReport } from "./model.ts";

function run(day: string, kernel: string, outcome: "pass" | "fail"): RunReport {
  const report = exampleReport();
  const cases = report.cases.filter(({ id }) => id === "stream/connect/refused").map((entry) => ({
    ...entry,
    verdict: { outcome, reasons: [], milliseconds: 1 },
  }));
  const startedAt = `2026-03-${day}T12:00:00.000Z`;
  return { ...report, startedAt, lab: { kernel, vms: [] }, again: ["lab"], cases };
}

Deno.test("historiesOf() says for which implementation a case changed, and between which runs", () => {
  const reports = [
    ...[run("03", "debian:6.1", "fail"), run("01", "debian:6.1", "pass")],
    ...[run("02", "debian:6.1", "pass"), run("01", "debian:7.3", "pass")],
    ...[run("02", "debian:7.3", "pass"), exampleNotStarted("no kernel")],
  ];
  const histories = historiesOf(reports);
  assert.equal(histories.length, 2);
  const changed = histories.map(({ steps }) => steps.map(({ changes }) => changes.length));
  // Two directions each.
  assert.deepEqual(changed, [[0, 2], [0]]);
  const text = historyText(histories);
  assert.match(
    text,
    /^debian:6\.1, guest-host, x86_64: 3 runs\n {2}2026-03-02\S+ .* -> 2026-03-03/,
  );
  assert.match(text, /stream\/connect\/refused \(host-server\): pass -> fail/);
  assert.match(text, /debian:7\.3, guest-host, x86_64: 2 runs\n {2}nothing changed/);
  assert.equal(isWorseNow(histories), true);
  assert.equal(isWorseNow(historiesOf([...reports, run("04", "debian:6.1", "pass")])), false);
});
