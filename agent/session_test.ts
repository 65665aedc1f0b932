import assert from "node:assert/strict";
import type { SideReport } from "../core/outcome.ts";
import { MAX_SIDES, serveController, type SideOrder, type SideRunner } from "./session.ts";
import { connectControl, LineChannel, listenControl, PeerGoneError } from "../control/channel.ts";
import { streamPair } from "../control/stream_pair.ts";
import { unlessAborted } from "../control/lines.ts";
import { decodeHello, encodeHello } from "../control/greeting.ts";
import { decodeAnswer, encodeMessage, type Order } from "../control/wire.ts";
import { startOrder } from "../tests/support/start_order.ts";

const FACTS = { name: "agent", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
const PASS: SideReport = { state: "pass", reasons: [], step: "", milliseconds: 1 };
/** How long anything may take, in milliseconds: only what hangs takes that. */
const WAIT = 60_000;
const never = new AbortController().signal;

/** An agent with this runner, and the channel of a controller that a test scripts. */
function agent(runSide: SideRunner) {
  const [near, far] = streamPair();
  const served = serveController(new LineChannel(near), { facts: FACTS, runSide });
  // A test may look at the end later than it comes.
  served.catch(() => {});
  const channel = new LineChannel(far);
  return {
    served,
    channel,
    greet: async () => {
      await channel.writeLine(encodeHello(FACTS));
      return decodeHello(await channel.readLine(WAIT)).facts;
    },
    order: (order: Order) => channel.writeLine(encodeMessage(order)),
    answer: async () => decodeAnswer(await channel.readLine(WAIT)),
  };
}

/** A side that runs until it is told to stop, and says why it stopped. */
const untilStopped = (reasons: unknown[]): SideRunner => async ({ stop }) => {
  await unlessAborted(new Promise(() => {}), stop).catch((reason) => reasons.push(reason));
  return { ...PASS, state: "stopped", reasons: ["stopped"] };
};

Deno.test("serveController() runs the side that it is told, with what it is told", async () => {
  const orders: SideOrder[] = [];
  const { greet, order, answer, channel, served } = agent((side) => {
    orders.push(side);
    return Promise.resolve(PASS);
  });
  assert.deepEqual(await greet(), FACTS);
  await order(startOrder(1));
  assert.deepEqual(await answer(), { type: "done", run: 1, report: PASS });
  assert.equal(orders.length, 1);
  const { id, role, port, seed, timeout } = orders[0] ?? assert.fail();
  assert.deepEqual([id, role, port, seed, timeout], ["a/b/c", "server", 1234, 7, 1000]);
  channel.close();
  await served;
});

Deno.test("serveController() carries the lines of a case both ways", async () => {
  const { greet, order, answer, channel, served } = agent(async ({ lines }) => {
    await lines.write(`got ${await lines.read(never)}`);
    return PASS;
  });
  await greet();
  await order(startOrder(4));
  await order({ type: "line", run: 4, text: "LISTENING" });
  assert.deepEqual(await answer(), { type: "line", run: 4, text: "got LISTENING" });
  assert.equal((await answer()).type, "done");
  channel.close();
  await served;
});

Deno.test("serveController() passes over lines and stops of another run", async () => {
  const reasons: unknown[] = [];
  const { greet, order, answer, channel, served } = agent(async ({ lines, stop }) => {
    stop.addEventListener("abort", () => reasons.push(stop.reason));
    assert.equal(await lines.read(never), "right");
    return PASS;
  });
  await greet();
  await order({ type: "line", run: 1, text: "before any case" });
  await order(startOrder(5));
  for (const run of [0, 4, 6]) {
    await order({ type: "line", run, text: "wrong" });
    await order({ type: "stop", run, why: "wrong" });
  }
  await order({ type: "line", run: 5, text: "right" });
  assert.deepEqual(await answer(), { type: "done", run: 5, report: PASS });
  assert.deepEqual(reasons, []);
  channel.close();
  await served;
});

Deno.test("serveController() stops a case that it is told to, and says why to it", async () => {
  const reasons: unknown[] = [];
  const { greet, order, answer, channel, served } = agent(untilStopped(reasons));
  await greet();
  await order(startOrder(1));
  await order({ type: "stop", run: 1, why: "the client reported fail" });
  const done = await answer();
  assert.equal(done.type === "done" && done.report.state, "stopped");
  assert.deepEqual(reasons.map(String), ["Error: the client reported fail"]);
  channel.close();
  await served;
});

Deno.test("serveController() stops the case under way when the controller goes away", async () => {
  const reasons: unknown[] = [];
  const { greet, order, channel, served } = agent(untilStopped(reasons));
  await greet();
  await order(startOrder(1));
  channel.close();
  await served;
  assert.ok(reasons[0] instanceof PeerGoneError);
});

Deno.test("serveController() runs at the same time what is started at once, up to a limit", async () => {
  const gate = Promise.withResolvers<void>();
  let atOnce = 0;
  const { greet, order, answer, served } = agent(async () => {
    if (++atOnce === MAX_SIDES) gate.resolve();
    await gate.promise;
    atOnce--;
    return PASS;
  });
  await greet();
  const runs = Array.from({ length: MAX_SIDES }, (_, i) => i + 1);
  const orders = runs.map((run) => order(startOrder(run)));
  for (const run of runs) assert.equal((await answer()).run, run);
  await Promise.all(orders);
  const { greet: again, order: start, served: other } = agent(untilStopped([]));
  await again();
  await Promise.all([...runs, MAX_SIDES + 1].map((run) => start(startOrder(run)).catch(() => {})));
  await assert.rejects(other, { name: "ProtocolError", message: /more than 16 cases in parallel/ });
  served.catch(() => {});
});

Deno.test("serveController() tells of a step that takes long, once, and of no other", async () => {
  const { greet, order, answer, channel, served } = agent(async ({ onStep, stop }) => {
    for (let i = 0; i < 100; i++) onStep(`step ${i}`);
    await unlessAborted(new Promise(() => {}), stop).catch(() => {});
    return PASS;
  });
  await greet();
  await order(startOrder(3));
  assert.deepEqual(await answer(), { type: "step", run: 3, text: "step 99" });
  await assert.rejects(channel.readLine(1200), { name: "SilentPeerError" });
  await order({ type: "stop", run: 3, why: "enough" });
  assert.equal((await answer()).type, "done");
  channel.close();
  await served;
});

Deno.test("serveController() reports what an earlier process left, to the run that it was of", async () => {
  const left = [{ run: 7, report: { ...PASS, state: "broken", reasons: ["it died"] } }] as const;
  for (const [session, resumed] of [["mine", [7]], ["other", undefined]] as const) {
    const [near, far] = streamPair();
    const served = serveController(new LineChannel(near), {
      facts: FACTS,
      runSide: () => Promise.resolve(PASS),
      begin: (session) => session === "mine" ? left : undefined,
    });
    const channel = new LineChannel(far);
    await channel.writeLine(encodeHello(FACTS, { session }));
    assert.deepEqual(decodeHello(await channel.readLine(WAIT)).resumed, resumed);
    if (resumed !== undefined) {
      const answer = decodeAnswer(await channel.readLine(WAIT));
      assert.deepEqual(answer, { type: "done", ...left[0] });
    }
    await channel.writeLine(encodeMessage(startOrder(8)));
    assert.equal(decodeAnswer(await channel.readLine(WAIT)).run, 8);
    channel.close();
    await served;
  }
});

Deno.test("serveController() refuses a run number that does not count up", async () => {
  for (const second of [3, 2]) {
    const { greet, order, answer, served } = agent(() => Promise.resolve(PASS));
    await greet();
    await order(startOrder(3));
    await answer();
    await order(startOrder(second));
    await assert.rejects(served, { name: "ProtocolError", message: /started run \d twice/ });
  }
});

Deno.test("serveController() ends with ProtocolError where it is told nonsense, and stops the case", async () => {
  for (
    const nonsense of ["NEXT", "{}", "\u0000", '{"type":"start","run":1}', "x".repeat(300_000)]
  ) {
    const reasons: unknown[] = [];
    const { greet, order, channel, served } = agent(untilStopped(reasons));
    await greet();
    await order(startOrder(1));
    const written = channel.writeLine(nonsense).catch(() => {});
    await assert.rejects(served, { name: "ProtocolError" });
    await written;
    assert.equal(reasons.length, 1, "the case was stopped");
  }
});

Deno.test("serveController() runs nothing for a peer that does not introduce itself rightly", async () => {
  for (const greeting of ["NEXT", "GET / HTTP/1.1", encodeMessage(startOrder(1))]) {
    let runs = 0;
    const { channel, served } = agent(() => {
      runs++;
      return Promise.resolve(PASS);
    });
    await channel.writeLine(greeting);
    await assert.rejects(served, { name: "ProtocolError" });
    await assert.rejects(channel.readLine(WAIT), PeerGoneError);
    assert.equal(runs, 0);
  }
});

Deno.test("serveController() bounds the lines that a case does not read", async () => {
  const reasons: unknown[] = [];
  const { greet, order, served } = agent(untilStopped(reasons));
  await greet();
  await order(startOrder(1));
  await assert.rejects(async () => {
    for (let i = 0; i < 10_000; i++) await order({ type: "line", run: 1, text: "flood" });
  }, PeerGoneError);
  await assert.rejects(served, { message: /more than 4096 lines/ });
});

Deno.test("serveController() ends for a controller that reads nothing, in spite of a full connection", async () => {
  using listener = listenControl({ host: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  using channel = await connectControl({
    host: "127.0.0.1",
    port: (listener.addr as Deno.NetAddr).port,
  }, WAIT);
  const written: string[] = [];
  const served = serveController(new LineChannel(await accepting), {
    facts: FACTS,
    runSide: async ({ lines }) => {
      const line = "x".repeat(50_000);
      for (;;) {
        await lines.write(line);
        written.push("");
      }
    },
  });
  served.catch(() => {});
  await channel.writeLine(encodeHello(FACTS));
  await channel.writeLine(encodeMessage(startOrder(1)));
  // It is full once no more is written.
  for (let before = -1; before < written.length || before < 1;) {
    before = written.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await channel.writeLine("nonsense");
  await assert.rejects(served, { name: "ProtocolError" });
});
