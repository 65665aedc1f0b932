import assert from "node:assert/strict";
import type { CaseInfo } from "../core/case.ts";
import type { EndFacts, RunEvent } from "../core/event.ts";
import type { SideReport, Verdict } from "../core/outcome.ts";
import { planRun } from "../core/plan.ts";
import { NOTHING_LEFT, withLeakCheck } from "../core/parallel_leaks.ts";
import type { Splat } from "../core/splat.ts";
import { serveController } from "../agent/session.ts";
import { LineChannel } from "../control/channel.ts";
import { streamPair } from "../control/stream_pair.ts";
import { End } from "./end.ts";
import { type RunOptions, runPlan, type RunResult } from "./run.ts";

const FACTS = { name: "agent", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
const LEAKS = { watched: ["things"], milliseconds: 1000 };
const PASS: SideReport = { state: "pass", reasons: [], step: "", milliseconds: 1 };
const FAIL: SideReport = { ...PASS, state: "fail", reasons: ["why"] };

const info = (id: string, more: Partial<CaseInfo> = {}): CaseInfo => ({
  id,
  title: id,
  requirement: "it MUST work",
  refs: [],
  ...more,
});
const CASES = ["a/b/one", "a/b/two", "a/b/three"].map((id) => info(id));

/** An end's machine: what its kernel holds, and what cases do to it. */
class Machine {
  held = 10;
  /** What it was told to do, in order: looks, too. */
  readonly told: string[] = [];
  /** What a look finds besides what is held. */
  found: Partial<SideReport> = {};

  /** @param run what a case does, which may change what is held. */
  constructor(readonly run: (id: string, machine: Machine) => SideReport = () => PASS) {}

  async end(name: string, facts: Partial<EndFacts> = { leaks: LEAKS }): Promise<End> {
    const [near, far] = streamPair();
    const runSide = ({ id }: { id: string }) => {
      this.told.push(id === NOTHING_LEFT.id ? "look" : id);
      return Promise.resolve(id === NOTHING_LEFT.id ? this.#check() : this.run(id, this));
    };
    serveController(new LineChannel(far), { facts: { ...FACTS, ...facts }, runSide })
      .catch(() => {});
    return await End.open(name, new LineChannel(near), FACTS);
  }

  #check(): SideReport {
    const found = this.found;
    this.found = {};
    return { ...PASS, held: [{ what: "things", count: this.held, slack: 0 }], ...found };
  }
}

interface Ran extends RunResult {
  readonly verdicts: readonly Verdict[];
  readonly events: readonly RunEvent[];
}

/** Runs the cases with a machine as the guest, which is the client. */
async function run(guest: Machine, options: Partial<RunOptions> = {}): Promise<Ran> {
  const ends = { host: await new Machine().end("host"), guest: await guest.end("guest") };
  const events: RunEvent[] = [];
  const result = await runPlan({
    topology: "guest-host",
    plan: planRun(CASES, ["host-server"]),
    ends,
    port: 1,
    timeout: 10_000,
    seed: 7,
    sink: (event) => events.push(event),
    ...options,
  });
  ends.host.close();
  ends.guest.close();
  const verdicts = events.flatMap((event) => event.type === "case-end" ? event.verdict : []);
  return { ...result, verdicts, events };
}

const outcomes = ({ verdicts }: Ran) => verdicts.map(({ outcome }) => outcome);

Deno.test("runPlan() looks before the first case and after each, and passes what leaves nothing", async () => {
  const machine = new Machine();
  const ran = await run(machine);
  assert.deepEqual(outcomes(ran), ["pass", "pass", "pass"]);
  assert.deepEqual(machine.told, [
    "look",
    ...CASES.flatMap(({ id }) => [id, "look"]),
  ]);
  assert.deepEqual(ran.verdicts[0]?.sides?.client, PASS, "what is held is no part of a verdict");
});

for (const each of [1, 200]) {
  Deno.test(`runPlan() fails a case each run of which leaves ${each}, and no other`, async () => {
    const machine = new Machine((id, self) => {
      if (id === "a/b/two") self.held += each;
      return PASS;
    });
    const ran = await run(machine);
    assert.deepEqual(outcomes(ran), ["pass", "fail", "pass"]);
    const more = [each, each, each].join(", ");
    assert.deepEqual(ran.verdicts[1]?.reasons, [
      `client (guest): its kernel reported: leak: things: ${each} more after this case, and ` +
      `${3 * each} more after 3 more runs of it (${more})`,
    ]);
    assert.equal(machine.told.filter((id) => id === "a/b/two").length, 4);
  });
}

Deno.test("runPlan() passes a case after which more is held that another run does not leave", async () => {
  let runs = 0;
  const machine = new Machine((id, self) => {
    // A queue that is filled up in one run, and used up in the others.
    if (id === "a/b/two") self.held += runs++ === 0 ? 409 : -3;
    return PASS;
  });
  assert.deepEqual(outcomes(await run(machine)), ["pass", "pass", "pass"]);
  assert.equal(runs, 3);
});

Deno.test("runPlan() fails a case that passed and fails when it is repeated for a leak", async () => {
  let runs = 0;
  const machine = new Machine((id, self) => {
    if (id !== "a/b/one") return PASS;
    self.held++;
    return runs++ === 1 ? FAIL : PASS;
  });
  const { verdicts: [first] } = await run(machine);
  assert.equal(first?.outcome, "fail");
  assert.match(first.reasons.join("\n"), /: why\n.*\nthis is from a rerun of the case/s);
});

Deno.test("runPlan() does not repeat a case that failed, and tells what its look finds", async () => {
  const machine = new Machine((_, self) => {
    self.held += 100;
    self.found = { splats: [["leak: 1 more socket"]] };
    return FAIL;
  });
  const ran = await run(machine, { plan: planRun(CASES.slice(0, 1), ["host-server"]) });
  assert.deepEqual(machine.told, ["look", "a/b/one", "look"]);
  const [first] = ran.verdicts;
  assert.match(first?.reasons[0] ?? "", /^client \(guest\): its kernel reported: leak: 1 more s/);
  assert.match(first?.reasons[1] ?? "", /why$/);
});

Deno.test("runPlan() does not look after a case that was skipped, nor where no end can", async () => {
  const skipping = new Machine(() => ({ ...PASS, state: "skip", reasons: ["lacks it"] }));
  assert.deepEqual(outcomes(await run(skipping)), ["skip", "skip", "skip"]);
  assert.ok(!skipping.told.slice(1).includes("look"));
  const blind = new Machine();
  const ends = { host: await blind.end("host", {}), guest: await blind.end("guest", {}) };
  assert.deepEqual(outcomes(await run(new Machine(), { ends })), ["pass", "pass", "pass"]);
  assert.ok(!blind.told.includes("look"));
  ends.host.close();
  ends.guest.close();
});

Deno.test("runPlan() breaks a case after which an end dies of the look", async () => {
  const machine = new Machine((id, self) => {
    if (id === "a/b/two") self.found = { state: "broken", reasons: ["died"], died: true };
    return PASS;
  });
  const ran = await run(machine);
  assert.deepEqual(outcomes(ran), ["pass", "broken", "pass"]);
  assert.match(ran.verdicts[1]?.reasons.join() ?? "", /died/);
});

Deno.test("runPlan() breaks a case after which an end cannot look, unless it failed", async () => {
  const machine = new Machine((id, self) => {
    self.found = { state: "broken", reasons: ["cannot look"] };
    return id === "a/b/two" ? FAIL : PASS;
  });
  const ran = await run(machine);
  assert.deepEqual(outcomes(ran), ["broken", "fail", "broken"]);
  assert.match(ran.verdicts[0]?.reasons.join() ?? "", /cannot look/);
});

Deno.test("runPlan() with jobs fails where much is left, and does not repeat what ran in parallel", async () => {
  const left = async (each: number) => {
    const machine = new Machine((_, self) => {
      self.held += each;
      return PASS;
    });
    const plan = planRun(withLeakCheck(CASES, 2, true), ["host-server"]);
    const ran = await run(machine, { plan, jobs: 2 });
    assert.equal(machine.told.length, 5);
    const { outcome, reasons } = ran.verdicts.at(-1) ?? assert.fail("it did not look");
    return [outcome, reasons[0]];
  };
  assert.deepEqual(await left(0), ["pass", undefined]);
  // What nobody knows is said.
  assert.deepEqual(await left(40), [
    "pass",
    "guest: things: 120 more than before; up to 128 may come by themselves, " +
    "a run without --jobs tells",
  ]);
  const [outcome, reason] = await left(50);
  assert.equal(outcome, "fail");
  assert.match(reason ?? "", /leak: things: 150 more than before$/);
});

const LATE: Splat = ["BUG: late", "Call Trace:"];

Deno.test("runPlan() has a fault that came between two cases told of the one before, which fails", async () => {
  const machine = new Machine((id) => id === "a/b/two" ? { ...PASS, earlier: [LATE] } : PASS);
  const ran = await run(machine);
  assert.deepEqual(outcomes(ran), ["pass", "pass", "pass"]);
  const amended = ran.events.filter((event) => event.type === "case-amended");
  assert.deepEqual(amended.map(({ run, verdict }) => [run.id, verdict.outcome, verdict.reasons]), [
    ["a/b/one", "fail", ["guest, afterwards: its kernel reported: BUG: late", "| Call Trace:"]],
  ]);
  assert.deepEqual(amended[0]?.verdict.sides?.client.splats, [LATE]);
  assert.deepEqual([ran.counts.pass, ran.counts.fail], [2, 1]);
});

Deno.test("runPlan() until a failure ends with one that comes to light late", async () => {
  const machine = new Machine((id) => id === "a/b/two" ? { ...PASS, earlier: [LATE] } : PASS);
  const ran = await run(machine, { failFast: "--until-failure" });
  assert.equal(ran.stopped, "--until-failure: a/b/one (host-server) is fail");
  assert.equal(ran.verdicts.length, 2);
});

Deno.test("runPlan() takes what is found before the first case for none's, and says it of the end", async () => {
  const machine = new Machine();
  machine.found = { splats: [["WARNING: old"]], earlier: [["unreferenced object"]] };
  const ran = await run(machine);
  assert.deepEqual(outcomes(ran), ["pass", "pass", "pass"]);
  const [start] = ran.events;
  assert.ok(start?.type === "run-start");
  const faults = start.ends.map(({ faultsBefore }) => faultsBefore);
  assert.deepEqual(faults, [undefined, [["WARNING: old"], ["unreferenced object"]]]);
});
