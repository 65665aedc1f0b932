/**
 * Agents that are silent, or take nothing.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { RunEvent } from "../core/event.ts";
import type { SideReport } from "../core/outcome.ts";
import { planRun } from "../core/plan.ts";
import { serveController } from "../agent/session.ts";
import { type ByteStream, LineChannel } from "../control/channel.ts";
import { End, type EndOptions } from "./end.ts";
import { decodeHello, encodeHello } from "../control/greeting.ts";
import { runPlan } from "./run.ts";
import { streamPair } from "../control/stream_pair.ts";
import { decodeOrder, encodeMessage } from "../control/wire.ts";
import { startOrder } from "../tests/support/start_order.ts";

const FACTS = { name: "agent", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
const PASS: SideReport = { state: "pass", reasons: [], step: "", milliseconds: 1 };
/** How long anything may take, in milliseconds: only what hangs takes that. */
const WAIT = 60_000;
const QUICK = { interval: 20, limit: 100 };
const FOLLOWER = { onLine: () => {}, onLost: () => {} };

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** An end, and the channel of its agent, which a test scripts and which has greeted. */
async function opened(options: EndOptions = {}) {
  const [near, far] = streamPair();
  const agent = new LineChannel(far);
  const greeting = (async () => {
    const greeting = decodeHello(await agent.readLine(WAIT));
    await agent.writeLine(encodeHello(FACTS, { ports: [1, 100] }));
    return greeting;
  })();
  const end = await End.open("guest", new LineChannel(near), FACTS, options);
  return { end, agent, greeting: await greeting };
}

Deno.test("End gives the token that it has, and knows the agent's ports", async () => {
  const { end, agent, greeting } = await opened({ token: "secret" });
  assert.equal(greeting.token, "secret");
  assert.deepEqual(end.ports, [1, 100]);
  end.close();
  agent.close();
});

Deno.test("End tells its agent that it is there, also while there is nothing to run", async () => {
  const { end, agent } = await opened({ keepAlive: QUICK });
  agent.keepAlive(QUICK);
  const line = agent.readLine(WAIT);
  await sleep(500);
  end.order({ type: "stop", run: 1, why: "just to say something" });
  assert.equal(decodeOrder(await line).type, "stop");
  end.close();
});

Deno.test("End waits for an agent that is silent during a case, and gives it up after one", async () => {
  const { end, agent } = await opened({ keepAlive: QUICK });
  const first = end.run(startOrder(1), FOLLOWER);
  await sleep(500);
  await agent.writeLine(encodeMessage({ type: "done", run: 1, report: PASS }));
  assert.deepEqual(await first, PASS);
  for (let i = 0; end.lost === undefined && i < 500; i++) await sleep(20);
  assert.match(
    end.lost ?? "",
    /^lost contact with the guest agent: the peer has been silent for 0\.1 s/,
  );
  agent.close();
});

Deno.test("End reaches an agent again that was silent", async () => {
  const connections: LineChannel[] = [];
  const again = () => {
    const [near, far] = streamPair();
    const there = new LineChannel(far);
    connections.push(there);
    const runSide = () => Promise.resolve(PASS);
    serveController(there, { facts: FACTS, runSide }).catch(() => {});
    return Promise.resolve(new LineChannel(near));
  };
  const { end, agent } = await opened({ again, keepAlive: QUICK });
  const first = end.run(startOrder(1), FOLLOWER);
  await agent.writeLine(encodeMessage({ type: "done", run: 1, report: PASS }));
  await first;
  while (connections.length === 0) await sleep(20);
  assert.deepEqual(await end.run(startOrder(2), FOLLOWER), PASS);
  assert.equal(end.lost, undefined);
  end.close();
  agent.close();
});

Deno.test("End.run() begins on a new connection where the old one ended while nothing was heard", async () => {
  const again = () => {
    const [near, far] = streamPair();
    const runSide = () => Promise.resolve(PASS);
    serveController(new LineChannel(far), { facts: FACTS, runSide }).catch(() => {});
    return Promise.resolve(new LineChannel(near));
  };
  const { end, agent } = await opened({ again, keepAlive: { interval: 20, limit: 60_000 } });
  const first = end.run(startOrder(1), FOLLOWER);
  await agent.writeLine(encodeMessage({ type: "done", run: 1, report: PASS }));
  await first;
  // As after a stall: the agent has let go, and this process has not seen it yet.
  await sleep(200);
  agent.close();
  assert.deepEqual(await end.run(startOrder(2), FOLLOWER), PASS);
  end.close();
});

/** A stream that takes nothing any more after its first bytes. */
function stuckAfter(stream: ByteStream, bytes: number): ByteStream {
  let left = bytes;
  return {
    read: (into) => stream.read(into),
    close: () => stream.close(),
    write: async (data) => {
      left -= data.length;
      return left > 0 ? await stream.write(data) : await new Promise(() => {});
    },
  };
}

Deno.test("runPlan() has a verdict although an end takes nothing of what the other one tells it", async () => {
  const [near, far] = streamPair();
  const agent = new LineChannel(far);
  // It takes the greeting and the order, and passes at once.
  (async () => {
    await agent.readLine();
    await agent.writeLine(encodeHello(FACTS));
    const { run } = decodeOrder(await agent.readLine());
    await agent.writeLine(encodeMessage({ type: "done", run, report: PASS }));
  })().catch(() => {});
  const guest = await End.open("guest", new LineChannel(stuckAfter(near, 1000)), FACTS);
  const [here, there] = streamPair();
  serveController(new LineChannel(there), {
    facts: FACTS,
    runSide: async ({ lines }) => {
      for (let i = 0; i < 20; i++) await lines.write("x".repeat(1000));
      return { ...PASS, state: "fail", reasons: ["a claim"] };
    },
  }).catch(() => {});
  const host = await End.open("host", new LineChannel(here), FACTS);
  const events: RunEvent[] = [];
  const plan = planRun(
    [{ id: "a/b/one", title: "one", requirement: "it MUST work", refs: [] }],
    ["host-server"],
  );
  await runPlan({
    topology: "guest-host",
    plan,
    ends: { host, guest },
    port: 1234,
    timeout: 100,
    seed: 1,
    sink: (event) => events.push(event),
  });
  host.close();
  guest.close();
  agent.close();
  const verdicts = events.flatMap((event) => event.type === "case-end" ? event.verdict : []);
  assert.deepEqual(verdicts.map(({ outcome }) => outcome), ["fail"]);
  assert.match(verdicts[0]?.reasons.join() ?? "", /server \(host\): a claim/);
});

Deno.test("End gives up an agent that takes nothing of very much", async () => {
  const [near, far] = streamPair();
  const agent = new LineChannel(far);
  const greeted = agent.readLine(WAIT).then(() => agent.writeLine(encodeHello(FACTS)));
  const end = await End.open("guest", new LineChannel(stuckAfter(near, 1000)), FACTS);
  await greeted;
  const report = end.run(startOrder(1), FOLLOWER);
  for (let i = 0; i < 1000; i++) {
    end.order({ type: "line", run: 1, text: "x".repeat(10_000) });
  }
  const { state, reasons } = await report;
  assert.equal(state, "broken");
  assert.match(reasons.join(), /lost contact with its agent: it does not read what it is sent/);
  agent.close();
});
