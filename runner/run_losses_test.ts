import assert from "node:assert/strict";
import type { Retry } from "../core/event.ts";
import type { SideReport, Verdict } from "../core/outcome.ts";
import { planRun } from "../core/plan.ts";
import { serveController, type SideRunner } from "../agent/session.ts";
import { LineChannel } from "../control/channel.ts";
import { streamPair } from "../control/stream_pair.ts";
import { End } from "./end.ts";
import { runPlan } from "./run.ts";

const FACTS = { name: "agent", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
const PASS: SideReport = { state: "pass", reasons: [], step: "", milliseconds: 1 };
const plan = planRun(
  ["a/b/one", "a/b/two"].map((id) => ({ id, title: id, requirement: "it MUST work", refs: [] })),
  ["host-server"],
);

/** A machine that goes away in its first cases, and comes back each time. */
class Machine {
  losses = 0;
  /** The runs that it was told to make. */
  readonly runs: number[] = [];
  readonly #times: number;
  readonly #speaks: boolean;

  /** @param speaks whether its kernel says what it dies of, so that it is no loss. */
  constructor(times: number, speaks = false) {
    this.#times = times;
    this.#speaks = speaks;
  }

  /** Its agent, to which one connects again when it was lost. */
  async end(): Promise<End> {
    const again = () => {
      if (!this.#speaks) this.losses++;
      return Promise.resolve(this.#connect());
    };
    return await End.open("guest", this.#connect(), FACTS, { again });
  }

  #connect(): LineChannel {
    const [near, far] = streamPair();
    const there = new LineChannel(far);
    const runSide: SideRunner = ({ run }) => {
      this.runs.push(run);
      if (this.runs.length > this.#times) return Promise.resolve(PASS);
      there.close();
      return new Promise(() => {});
    };
    serveController(there, { facts: FACTS, runSide }).catch(() => {});
    return new LineChannel(near);
  }
}

/** Runs two cases with it as the client. */
async function verdictsOn(
  machine: Machine,
  jobs?: number,
  retries: Retry[] = [],
): Promise<readonly Verdict[]> {
  const [near, far] = streamPair();
  const serving = { facts: FACTS, runSide: () => Promise.resolve(PASS) };
  serveController(new LineChannel(far), serving).catch(() => {});
  const host = await End.open("host", new LineChannel(near), FACTS);
  const guest = await machine.end();
  const verdicts: Verdict[] = [];
  await runPlan({
    topology: "guest-host",
    plan,
    ends: { host, guest },
    port: 1234,
    timeout: 10_000,
    seed: 1,
    jobs,
    losses: () => machine.losses,
    sink: (event) => {
      if (event.type === "case-end") verdicts.push(event.verdict);
      if (event.type === "retry") retries.push(event);
    },
  });
  host.close();
  guest.close();
  return verdicts;
}

const AGAIN = "run again: the VMs were lost and no kernel logged a reason";

Deno.test("runPlan() runs a case again whose machines went away without a word, and says so", async () => {
  const machine = new Machine(2);
  const retries: Retry[] = [];
  const verdicts = await verdictsOn(machine, 1, retries);
  assert.deepEqual(retries.map(({ what }) => what), Array(2).fill("a/b/one (host-server)"));
  assert.ok(retries.every(({ why }) => `run again: ${why}` === AGAIN));
  assert.deepEqual(verdicts.map(({ outcome }) => outcome), ["retried", "pass"]);
  assert.deepEqual(verdicts.map(({ reasons }) => reasons), [[AGAIN], []]);
  assert.deepEqual(machine.runs, [1, 2, 3, 4]);
});

Deno.test("runPlan() judges a case once in which no machine was lost but an agent was", async () => {
  const machine = new Machine(1, true);
  const retries: Retry[] = [];
  const verdicts = await verdictsOn(machine, 1, retries);
  assert.deepEqual(retries, []);
  assert.deepEqual(verdicts.map(({ outcome }) => outcome), ["broken", "pass"]);
  assert.deepEqual(machine.runs, [1, 2]);
});

Deno.test("runPlan() with jobs runs alone what was under way when the machines went away", async () => {
  const machine = new Machine(1);
  const retries: Retry[] = [];
  const verdicts = await verdictsOn(machine, 2, retries);
  assert.deepEqual(
    new Set(retries.map(({ what }) => what)),
    new Set(["a/b/one (host-server)", "a/b/two (host-server)"]),
  );
  assert.deepEqual(verdicts.map(({ outcome }) => outcome), ["retried", "retried"]);
  assert.ok(verdicts.some(({ reasons }) => /^run again on its own: /.test(reasons.join())));
});
