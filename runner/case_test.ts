import assert from "node:assert/strict";
import type { CaseInfo } from "../core/case.ts";
import type { EndFacts, RunEvent } from "../core/event.ts";
import type { SideReport, Verdict } from "../core/outcome.ts";
import { planRun } from "../core/plan.ts";
import { serveController, type SideRunner } from "../agent/session.ts";
import { connectControl, LineChannel, listenControl } from "../control/channel.ts";
import { streamPair } from "../control/stream_pair.ts";
import { rolesOf } from "./case.ts";
import { End } from "./end.ts";
import { type RunOptions, runPlan } from "./run.ts";
import { RunningTime } from "../tests/support/running_time.ts";
import { encodeHello } from "../control/greeting.ts";
import { decodeOrder, encodeMessage, type Order } from "../control/wire.ts";

const FACTS = { name: "agent", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
const PASS: SideReport = { state: "pass", reasons: [], step: "", milliseconds: 1 };
const never = new AbortController().signal;
/** The deadline of a case that is over long before, in milliseconds. */
const CASE_TIME = 120_000;

function caseOf(id: string, requirement = "it MUST work"): CaseInfo {
  return { id, title: id, requirement, refs: [] };
}

/** An end whose agent is ours, with a runner of the test's. */
async function goodEnd(name: string, runSide: SideRunner, facts: EndFacts = FACTS): Promise<End> {
  const [near, far] = streamPair();
  serveController(new LineChannel(far), { facts, runSide }).catch(() => {});
  return await End.open(name, new LineChannel(near), FACTS);
}

/** An end whose agent is the test's: it greets rightly, then does as the script says. */
async function scriptedEnd(
  name: string,
  script: (channel: LineChannel, start: Order & { type: "start" }) => Promise<void> | void,
): Promise<End> {
  const [near, far] = streamPair();
  const channel = new LineChannel(far);
  (async () => {
    await channel.readLine();
    await channel.writeLine(encodeHello(FACTS));
    const order = decodeOrder(await channel.readLine());
    if (order.type === "start") await script(channel, order);
  })().catch(() => {});
  return await End.open(name, new LineChannel(near), FACTS);
}

interface Ran {
  readonly events: RunEvent[];
  readonly verdicts: readonly Verdict[];
}

/** Runs a plan of two cases, in which the host is the server. */
async function run(
  host: End,
  guest: End,
  options: Partial<RunOptions> = {},
): Promise<Ran> {
  const events: RunEvent[] = [];
  await runPlan({
    topology: "guest-host",
    plan: planRun([caseOf("a/b/one"), caseOf("a/b/two")], ["host-server"]),
    ends: { host, guest },
    port: 1234,
    timeout: CASE_TIME,
    seed: 1,
    sink: (event) => events.push(event),
    ...options,
  });
  host.close();
  guest.close();
  const verdicts = events.flatMap((event) => event.type === "case-end" ? event.verdict : []);
  return { events, verdicts };
}

const types = ({ events }: Ran) => events.map(({ type }) => type);
const outcomes = ({ verdicts }: Ran) => verdicts.map(({ outcome }) => outcome);

Deno.test("runPlan() starts both sides with the same seed and carries their lines", async () => {
  const seen: string[] = [];
  const side: SideRunner = async ({ role, seed, port, lines, id }) => {
    seen.push(`${id} ${role} ${port} ${seed}`);
    if (role === "server") await lines.write(`LISTENING ${id}`);
    else assert.equal(await lines.read(never), `LISTENING ${id}`);
    return PASS;
  };
  const ran = await run(await goodEnd("host", side), await goodEnd("guest", side));
  assert.deepEqual(outcomes(ran), ["pass", "pass"]);
  const round = ["case-start", "case-end"];
  assert.deepEqual(types(ran), ["run-start", ...round, ...round, "run-end"]);
  const seeds = seen.map((line) => line.split(" ")[3]);
  assert.equal(seeds[0], seeds[1]);
  assert.notEqual(seeds[0], seeds[2], "each case has its own");
  assert.deepEqual(seen.map((line) => line.split(" ").slice(0, 3).join(" ")).sort(), [
    "a/b/one client 1234",
    "a/b/one server 1234",
    "a/b/two client 1234",
    "a/b/two server 1234",
  ]);
});

Deno.test("rolesOf() makes the end that the direction names the server", async () => {
  const side: SideRunner = () => Promise.resolve(PASS);
  const ends = { host: await goodEnd("host", side), guest: await goodEnd("guest", side) };
  assert.equal(rolesOf("host-server", ends).server, ends.host);
  assert.equal(rolesOf("host-server", ends).client, ends.guest);
  assert.equal(rolesOf("guest-server", ends).server, ends.guest);
  assert.equal(rolesOf("guest-server", ends).client, ends.host);
  ends.host.close();
  ends.guest.close();
});

Deno.test("runPlan() stops the other side when one has failed, and goes on to the next", async () => {
  const failing: SideRunner = () =>
    Promise.resolve({ ...PASS, state: "fail", reasons: ["a claim"], step: "send(3)" });
  const waiting: SideRunner = ({ stop }) =>
    new Promise((resolve) => {
      const reply = () =>
        resolve({ ...PASS, state: "stopped", reasons: [String(stop.reason.message)] });
      if (stop.aborted) reply();
      else stop.addEventListener("abort", reply);
    });
  const ran = await run(await goodEnd("host", waiting), await goodEnd("guest", failing));
  assert.deepEqual(outcomes(ran), ["fail", "fail"]);
  assert.deepEqual(ran.verdicts[0]?.reasons, [
    "client (guest): a claim",
    "client (guest): last step: send(3)",
    "server (host): the client reported fail",
  ]);
});

Deno.test("runPlan() warns where a SHOULD failed", async () => {
  const failing: SideRunner = () => Promise.resolve({ ...PASS, state: "fail", reasons: ["no"] });
  const plan = planRun([caseOf("a/b/one", "it SHOULD work")], ["host-server"]);
  const ran = await run(await goodEnd("host", failing), await goodEnd("guest", failing), { plan });
  assert.deepEqual(outcomes(ran), ["warn"]);
});

Deno.test("runPlan() fails the case during which a kernel died, and says of what", async () => {
  const good = await goodEnd("host", () => Promise.resolve(PASS));
  const gone = await scriptedEnd("guest", (channel) => channel.close());
  const panic = "guest: its kernel reported: Kernel panic";
  const ran = await run(good, gone, { postMortem: () => Promise.resolve([panic]) });
  assert.deepEqual(outcomes(ran), ["fail"]);
  assert.equal(ran.verdicts[0]?.reasons[0], panic);
  assert.match(
    ran.verdicts[0].reasons[1] ?? "",
    /^client \(guest\): lost contact with its agent: /,
  );
});

const BAD_AGENTS: readonly (readonly [string, (channel: LineChannel) => Promise<void>, RegExp])[] =
  [
    ["goes away", (channel) => Promise.resolve(channel.close()), /peer closed the control/],
    ["talks nonsense", (channel) => channel.writeLine("NEXT"), /makes no sense here: "NEXT"/],
    [
      "contradicts itself",
      (channel) =>
        channel.writeLine(
          encodeMessage({ type: "done", run: 1, report: { ...PASS, reasons: ["but"] } }),
        ),
      /makes no sense here/,
    ],
    [
      "never ends its line",
      (channel) => channel.writeLine("x".repeat(300_000)),
      /a line of more than/,
    ],
  ];

for (const [what, script, reason] of BAD_AGENTS) {
  Deno.test(`runPlan() ends soon, broken and in order, where an agent ${what}`, async () => {
    using time = new RunningTime();
    const host = await goodEnd(
      "host",
      ({ stop }) => new Promise((resolve) => stop.addEventListener("abort", () => resolve(PASS))),
    );
    const ran = await run(host, await scriptedEnd("guest", script), { timeout: CASE_TIME });
    assert.deepEqual(outcomes(ran), ["broken"]);
    assert.match(
      ran.verdicts[0]?.reasons[0] ?? "",
      /^client \(guest\): lost contact with its agent: /,
    );
    assert.match(ran.verdicts[0]?.reasons[0] ?? "", reason);
    const expected = ["run-start", "case-start", "case-end", "run-stopped", "run-end"];
    assert.deepEqual(types(ran), expected);
    const stopped = ran.events.find((event) => event.type === "run-stopped");
    assert.equal(stopped?.notRun, 1);
    assert.match(stopped.reason, /^lost contact with the guest agent: /);
    assert.equal(stopped.lost, true);
    assert.ok(time.passed < 5000);
  });
}

Deno.test("runPlan() waits for a silent agent, or one with wrong run numbers, for a bounded time", async () => {
  const silent = scriptedEnd("guest", () => {});
  const confused = scriptedEnd("guest", async (channel, { run }) => {
    for (const wrong of [run - 1, run + 1]) {
      await channel.writeLine(encodeMessage({ type: "done", run: wrong, report: PASS }));
    }
  });
  const side: SideRunner = () => Promise.resolve(PASS);
  using time = new RunningTime();
  await Promise.all([silent, confused].map(async (guest) => {
    const ran = await run(await goodEnd("host", side), await guest, { timeout: 100 });
    assert.deepEqual(outcomes(ran), ["broken"]);
    assert.deepEqual(ran.verdicts[0]?.reasons, [
      "client (guest): lost contact with its agent: no report before the deadline",
      "server (host): passed",
    ]);
    assert.equal(types(ran).at(-2), "run-stopped");
  }));
  assert.ok(time.passed < 10_000);
});

Deno.test("runPlan() waits for an end that looks for leaks, as long as that says it may take", async () => {
  const plan = planRun([caseOf("a/b/one")], ["host-server"]);
  const outcomeOf = async (lookTime: number, guest: SideRunner) => {
    const facts = { ...FACTS, leaks: { watched: ["sockets"], milliseconds: lookTime } };
    const host = await goodEnd("host", () => Promise.resolve(PASS));
    return outcomes(await run(host, await goodEnd("guest", guest, facts), { timeout: 100, plan }));
  };
  using time = new RunningTime();
  const started = performance.now();
  const silent = outcomeOf(1000, () => new Promise(() => {}));
  // It reports when the other one has been given up, and may take longer than that.
  const slow = outcomeOf(60_000, () => silent.then(() => PASS));
  assert.deepEqual(await silent, ["broken"]);
  // A deadline of 100 ms, the 5 s that any report is waited for, and the look.
  const waited = performance.now() - started;
  assert.ok(waited >= 6090 && time.passed < 7600, `it was given up after ${waited} ms, not 6100`);
  assert.deepEqual(await slow, ["pass"]);
});

Deno.test("runPlan() that is stopped keeps the verdicts so far and says how many are missing", async () => {
  const stop = new AbortController();
  const side: SideRunner = ({ id, stop: told }) => {
    if (id === "a/b/one") return Promise.resolve(PASS);
    stop.abort(new Error("interrupted"));
    return new Promise((resolve) =>
      told.addEventListener("abort", () => resolve({ ...PASS, state: "stopped", reasons: ["x"] }))
    );
  };
  const ran = await run(await goodEnd("host", side), await goodEnd("guest", side), {
    stop: stop.signal,
  });
  assert.deepEqual(outcomes(ran), ["pass"]);
  const stopped = ran.events.find((event) => event.type === "run-stopped");
  assert.deepEqual(stopped, { type: "run-stopped", reason: "interrupted", notRun: 1 });
  assert.equal(types(ran).at(-1), "run-end");
});

Deno.test("runPlan() that was stopped before runs nothing", async () => {
  const side: SideRunner = () => assert.fail("nothing may run");
  const stop = AbortSignal.abort(new Error("interrupted"));
  const ran = await run(await goodEnd("host", side), await goodEnd("guest", side), { stop });
  assert.deepEqual(types(ran), ["run-start", "run-stopped", "run-end"]);
});

Deno.test("runPlan() runs over TCP as over streams in memory", async () => {
  using listener = listenControl({ host: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const side: SideRunner = async ({ role, lines }) => {
    if (role === "server") { for (let i = 0; i < 300; i++) await lines.write(`${i}`); }
    else for (let i = 0; i < 300; i++) assert.equal(await lines.read(never), `${i}`);
    return PASS;
  };
  const serving = listener.accept().then((connection) =>
    serveController(new LineChannel(connection), { facts: FACTS, runSide: side })
  );
  const channel = await connectControl({ host: "127.0.0.1", port }, CASE_TIME);
  const guest = await End.open("guest", channel, FACTS);
  assert.deepEqual(guest.facts, { ...FACTS, name: "guest" });
  const ran = await run(await goodEnd("host", side), guest);
  assert.deepEqual(outcomes(ran), ["pass", "pass"]);
  await serving;
});

Deno.test("End.open() says what the peer is that answers otherwise than an agent", async () => {
  for (
    const [answer, name, message] of [
      ["NEXT", "ProtocolError", /vsock_test/],
      ["REFUSED busy", "RefusedError", /refused: busy/],
    ] as const
  ) {
    const [near, far] = streamPair();
    const there = new LineChannel(far);
    const written = there.writeLine(answer);
    await assert.rejects(End.open("guest", new LineChannel(near), FACTS), {
      name,
      message,
    });
    there.close();
    await written;
  }
});
