import assert from "node:assert/strict";
import { withAmended } from "./amended.ts";
import type { CaseRun, RunEvent } from "./event.ts";
import { noCounts, type Outcome } from "./outcome.ts";

const run = (id: string): CaseRun => ({ number: 1, id, direction: "loopback" });
const start = (id: string): RunEvent => ({ type: "case-start", run: run(id), title: id });
const verdict = (outcome: Outcome) => ({ outcome, reasons: [], milliseconds: 1 });
const end = (id: string, outcome: Outcome = "pass"): RunEvent => ({
  type: "case-end",
  run: run(id),
  title: id,
  verdict: verdict(outcome),
});
const amended = (id: string): RunEvent => ({
  type: "case-amended",
  run: run(id),
  title: id,
  verdict: verdict("fail"),
});
const LAST: RunEvent = { type: "run-end", counts: noCounts(), milliseconds: 1 };

/** What a sink is told behind `withAmended`. */
function told(events: readonly RunEvent[]): RunEvent[] {
  const seen: RunEvent[] = [];
  const sink = withAmended((event) => seen.push(event));
  events.forEach(sink);
  return seen;
}

Deno.test("withAmended() tells all in its order, where nothing is amended", () => {
  const events = [start("a"), end("a"), start("b"), end("b"), LAST];
  assert.deepEqual(told(events), events);
  assert.deepEqual(told(events.slice(0, -1)), events.slice(0, 1 + 2));
});

Deno.test("withAmended() tells of a verdict as it is in the end", () => {
  const events = [start("a"), end("a"), start("b"), amended("a"), end("b"), LAST];
  assert.deepEqual(told(events), [start("a"), end("a", "fail"), start("b"), end("b"), LAST]);
});

Deno.test("withAmended() takes no amendment for another case's", () => {
  const events = [end("a"), end("b"), amended("a"), LAST];
  assert.deepEqual(told(events), [end("a"), end("b"), LAST]);
});
