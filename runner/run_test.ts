import assert from "node:assert/strict";
import type { CaseInfo } from "../core/case.ts";
import type { RunEvent } from "../core/event.ts";
import type { SideReport, SideState } from "../core/outcome.ts";
import { planRun } from "../core/plan.ts";
import { serveController, type SideRunner } from "../agent/session.ts";
import { LineChannel } from "../control/channel.ts";
import { streamPair } from "../control/stream_pair.ts";
import { End } from "./end.ts";
import { PORT_STRIDE } from "../control/wire.ts";
import { type RunOptions, runPlan, type RunResult } from "./run.ts";

const FACTS = { name: "agent", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
const PLAN = planRun(
  ["a/b/one", "a/b/two", "a/b/three"].map((id): CaseInfo => ({
    id,
    title: id,
    requirement: "it MUST work",
    refs: [],
  })),
  ["loopback"],
);

function ended(state: SideState): SideReport {
  return { state, reasons: state === "pass" ? [] : ["why"], step: "", milliseconds: 1 };
}

/** How both sides of a case end, each time that it runs. */
type Script = (id: string, seed: number) => SideState;

/** An end whose agent runs sides so. */
async function endOf(runSide: SideRunner): Promise<End> {
  const [near, far] = streamPair();
  serveController(new LineChannel(far), { facts: FACTS, runSide }).catch(() => {});
  return await End.open("loopback", new LineChannel(near), FACTS);
}

async function end(script: Script): Promise<End> {
  return await endOf(({ id, seed }) => Promise.resolve(ended(script(id, seed))));
}

interface Ran extends RunResult {
  readonly events: readonly RunEvent[];
}

/** Runs the plan with scripted sides. */
async function run(script: Script, options: Partial<RunOptions> = {}): Promise<Ran> {
  const events: RunEvent[] = [];
  const ends = { host: await end(script), guest: await end(() => "pass") };
  const result = await runPlan({
    topology: "loopback",
    plan: PLAN,
    ends,
    port: 1234,
    timeout: 10_000,
    seed: 7,
    sink: (event) => events.push(event),
    ...options,
  });
  ends.host.close();
  ends.guest.close();
  return { ...result, events };
}

/** A plan of many cases, some of which must be alone. */
const MANY = planRun(
  Array.from({ length: 12 }, (_, i): CaseInfo => ({
    id: `a/b/n${i}`,
    title: "",
    requirement: "it MUST work",
    refs: [],
    ...(i % 4 === 3 ? { alone: "it counts" } : {}),
  })),
  ["host-server", "guest-server"],
);

/** What is seen of cases: a round's number, or an outcome. */
function told({ events }: Ran): (number | string)[] {
  return events.flatMap((event) =>
    event.type === "round-start"
      ? event.round
      : event.type === "case-end"
      ? event.verdict.outcome
      : []
  );
}

Deno.test("runPlan() repeats the plan with another seed in every round, and counts all", async () => {
  const seeds: number[] = [];
  const ran = await run((id, seed) => {
    if (id === "a/b/one") seeds.push(seed);
    return "pass";
  }, { repeat: 3 });
  const three = ["pass", "pass", "pass"];
  assert.deepEqual(told(ran), [1, ...three, 2, ...three, 3, ...three]);
  assert.equal(new Set(seeds).size, 3);
  assert.equal(ran.counts.pass, 9);
  assert.equal(ran.stopped, undefined);
  const again: number[] = [];
  const [, second] = ran.events.flatMap((event) => event.type === "round-start" ? event : []);
  await run((id, seed) => {
    if (id === "a/b/one") again.push(seed);
    return "pass";
  }, { seed: second?.seed ?? 0 });
  assert.deepEqual(again, seeds.slice(1, 2), "--seed of a round brings it back");
});

Deno.test("runPlan() says nothing of rounds where there is one", async () => {
  assert.deepEqual(told(await run(() => "pass")), ["pass", "pass", "pass"]);
});

Deno.test("runPlan() until a failure ends with it, in whichever round", async () => {
  let runs = 0;
  const ran = await run(() => ++runs === 5 ? "fail" : "pass", {
    repeat: Infinity,
    failFast: "--until-failure",
  });
  assert.deepEqual(told(ran), [1, "pass", "pass", "pass", 2, "pass", "fail"]);
  assert.equal(ran.stopped, "--until-failure: a/b/two (loopback) is fail");
  const stopped = ran.events.find((event) => event.type === "run-stopped");
  assert.deepEqual(stopped, { type: "run-stopped", reason: ran.stopped, notRun: 1 });
});

Deno.test("runPlan() until a failure goes on where nothing fails, and stops at most then", async () => {
  const ran = await run((id) => id === "a/b/one" ? "skip" : "pass", {
    repeat: 2,
    failFast: "--until-failure",
  });
  assert.equal(ran.stopped, undefined);
  assert.equal(ran.counts.pass, 4);
});

Deno.test("runPlan() until a failure takes what a baseline says for it", async () => {
  const ran = await run((id) => id === "a/b/two" ? "pass" : "fail", {
    failFast: "--until-failure",
    judge: ({ id }, verdict) => ({
      ...verdict,
      outcome: id === "a/b/two" ? "unexpected-pass" : "expected-fail",
    }),
  });
  assert.deepEqual(told(ran), ["expected-fail", "unexpected-pass"]);
  assert.equal(ran.counts.fail, 0);
});

Deno.test("runPlan() with jobs runs cases in parallel on ports apart, and some alone", async () => {
  let running = 0;
  let most = 0;
  const three = Promise.withResolvers<void>();
  const ports = new Set<number>();
  const directions: string[] = [];
  const side: SideRunner = async ({ id, role, port, lines }) => {
    const alone = Number(id.slice("a/b/n".length)) % 4 === 3;
    if (role === "client") {
      most = Math.max(most, ++running);
      assert.ok(!alone || running === 1, `${id} is not alone`);
      ports.add(port);
      // The first ones wait for each other, and the others let more begin, if they do.
      if (running === 3) three.resolve();
      await (alone ? undefined : three.promise);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
      await lines.write("DONE");
    } else await lines.read(new AbortController().signal);
    return ended("pass");
  };
  const ends = { host: await endOf(side), guest: await endOf(side) };
  const seen: string[] = [];
  const { counts } = await runPlan({
    topology: "guest-host",
    plan: MANY,
    ends,
    port: 1000,
    timeout: 10_000,
    seed: 7,
    jobs: 3,
    sink: (event) => {
      if (event.type === "case-start") directions.push(event.run.direction);
      if (event.type === "case-end") seen.push(`${event.run.id} ${event.run.direction}`);
    },
  });
  assert.equal(counts.pass, MANY.length);
  assert.equal(new Set(seen).size, MANY.length);
  assert.equal(most, 3);
  assert.deepEqual([...ports].sort(), [1000, 1000 + PORT_STRIDE, 1000 + 2 * PORT_STRIDE]);
  assert.deepEqual(directions, directions.toSorted().reverse(), "one direction after the other");
  ends.host.close();
  ends.guest.close();
});

/** An agent whose process dies of the case two, whichever else it runs, and comes back. */
class MortalAgent {
  /** How many processes it has had. */
  lives = 0;

  /** The end that it is. */
  async open(): Promise<End> {
    const [near, far] = streamPair();
    this.#serve(new LineChannel(far));
    return await End.open("loopback", new LineChannel(near), FACTS, { again: this.#again });
  }

  readonly #again = (): Promise<LineChannel> => {
    const [near, far] = streamPair();
    this.#serve(new LineChannel(far));
    return Promise.resolve(new LineChannel(near));
  };

  #serve(channel: LineChannel): void {
    this.lives++;
    const runSide: SideRunner = ({ id }) => {
      if (id === "a/b/two") channel.close();
      // Whatever else runs when it dies has not ended yet.
      if (id === "a/b/two" || this.lives === 1) return new Promise(() => {});
      return Promise.resolve(ended("pass"));
    };
    serveController(channel, { facts: FACTS, runSide }).catch(() => {});
  }
}

/** A side that passes after a while, unless it is stopped before. */
const passesLater: SideRunner = ({ stop }) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, 30, ended("pass"));
    stop.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve(ended("stopped"));
    });
  });

Deno.test("runPlan() with jobs runs again, alone, what a process that died ran in parallel", async () => {
  const mortal = new MortalAgent();
  const ends = { host: await mortal.open(), guest: await endOf(passesLater) };
  const verdicts = new Map<string, string>();
  await runPlan({
    topology: "loopback",
    plan: PLAN,
    ends,
    port: 1,
    timeout: 10_000,
    seed: 7,
    jobs: 3,
    sink: (event) => {
      if (event.type !== "case-end") return;
      verdicts.set(event.run.id, `${event.verdict.outcome}: ${event.verdict.reasons.at(-1)}`);
    },
  });
  const why = "run again on its own: a process died while this and other cases were running";
  assert.deepEqual(Object.fromEntries(verdicts), {
    "a/b/one": `retried: ${why}`,
    "a/b/two": `broken: ${why}`,
    "a/b/three": `retried: ${why}`,
  });
  assert.equal(mortal.lives, 3, "it died twice");
  ends.host.close();
  ends.guest.close();
});
