/**
 * What is left of cases that run in parallel: the watch of leaks and the run together.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { CaseInfo } from "../core/case.ts";
import { exitCode, type SideReport, type Verdict } from "../core/outcome.ts";
import { planRun } from "../core/plan.ts";
import { NOTHING_LEFT, withLeakCheck } from "../core/parallel_leaks.ts";
import { serveController, type SideOrder, type SideRunner } from "./session.ts";
import { LineChannel } from "../control/channel.ts";
import { streamPair } from "../control/stream_pair.ts";
import { End } from "../runner/end.ts";
import { runPlan } from "../runner/run.ts";
import { LeakWatch } from "./leak_watch.ts";
import { KernelWatch } from "./kernel_log_watch.ts";
import { Watches } from "./watches.ts";

const FACTS = { name: "agent", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
const PASS: SideReport = { state: "pass", reasons: [], step: "", milliseconds: 1 };

/** An end whose kernel has things of which some cases leave one behind. */
async function leakingEnd(leaky: readonly string[]): Promise<End> {
  let things = 10;
  const gauge = { what: "things", read: () => things };
  const leaks = await LeakWatch.open({ gauges: [gauge], grace: 20 });
  const watches = new Watches(KernelWatch.none(), leaks);
  const runSide: SideRunner = (order) => {
    if (leaky.includes(order.id)) things++;
    return Promise.resolve(PASS);
  };
  const facts = { ...FACTS, ...watches.watched };
  const [near, far] = streamPair();
  serveController(new LineChannel(far), { facts, runSide: watches.around(runSide) })
    .catch(() => {});
  return await End.open("end", new LineChannel(near), FACTS);
}

const CASES = ["a/b/one", "a/b/two", "a/b/three", "a/b/alone"].map((id): CaseInfo => ({
  id,
  title: id,
  requirement: "it MUST work",
  refs: [],
  ...(id.endsWith("alone") ? { alone: "it counts" } : {}),
}));

/** Runs the cases in parallel, of which some leak on the guest. */
async function run(leaky: readonly string[]) {
  const ends = { host: await leakingEnd([]), guest: await leakingEnd(leaky) };
  const verdicts: [string, Verdict][] = [];
  const { counts } = await runPlan({
    topology: "guest-host",
    plan: planRun(withLeakCheck(CASES, 2, true), ["host-server"]),
    ends,
    port: 1,
    timeout: 10_000,
    seed: 7,
    jobs: 2,
    sink: (event) => {
      if (event.type === "case-end") verdicts.push([event.run.id, event.verdict]);
    },
  });
  ends.host.close();
  ends.guest.close();
  return { verdicts, code: exitCode(counts) };
}

Deno.test("a run with --jobs fails where something is left, and says of which cases it may be", async () => {
  const { verdicts, code } = await run(["a/b/two"]);
  assert.equal(code, 1);
  assert.deepEqual(verdicts.map(([id, { outcome }]) => `${id} ${outcome}`).sort(), [
    "a/b/alone pass",
    "a/b/one pass",
    "a/b/three pass",
    "a/b/two pass",
    `${NOTHING_LEFT.id} fail`,
  ]);
  const reasons = new Map(verdicts).get(NOTHING_LEFT.id)?.reasons ?? [];
  assert.match(reasons[0] ?? "", /^client \(end\): .*leak: 1 more things than before/);
  assert.match(reasons[1] ?? "", /a run without --jobs tells which/);
  assert.deepEqual(reasons.slice(2).sort(), ["| a/b/one", "| a/b/three", "| a/b/two"]);
});

Deno.test("a run with --jobs passes where nothing is left, and a leak of one alone is its own", async () => {
  assert.equal((await run([])).code, 0);
  const { verdicts, code } = await run(["a/b/alone"]);
  assert.equal(code, 1);
  const failed = verdicts.filter(([, { outcome }]) => outcome !== "pass").map(([id]) => id);
  assert.deepEqual(failed, ["a/b/alone"]);
});

Deno.test("Watches say that they could not look, instead of nothing at all", async () => {
  let reads = 0;
  const read = () => {
    if (reads++ > 0) throw new Error("no netlink");
    return 1;
  };
  const leaks = await LeakWatch.open({ gauges: [{ what: "things", read }] });
  const watches = new Watches(KernelWatch.none(), leaks);
  const order = { id: NOTHING_LEFT.id, role: "server" } as SideOrder;
  const { state, reasons } = await watches.around(() => Promise.resolve(PASS))(order);
  assert.deepEqual([state, reasons], ["broken", ["the leak check failed: no netlink"]]);
});
