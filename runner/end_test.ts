import assert from "node:assert/strict";
import type { SideReport } from "../core/outcome.ts";
import { LineChannel, PeerGoneError } from "../control/channel.ts";
import { streamPair } from "../control/stream_pair.ts";
import { End, type EndOptions } from "./end.ts";
import { decodeHello, encodeHello, type Greeting } from "../control/greeting.ts";
import { decodeOrder, encodeMessage } from "../control/wire.ts";
import { RunningTime } from "../tests/support/running_time.ts";
import { startOrder } from "../tests/support/start_order.ts";

const FACTS = { name: "agent", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
const FAIL: SideReport = { state: "fail", reasons: ["why"], step: "here", milliseconds: 1 };
/** How long anything may take, in milliseconds: only what hangs takes that. */
const WAIT = 60_000;

/** An agent in the hands of a test: it accepts connections when the test says so. */
class Agent {
  #waiting = Promise.withResolvers<LineChannel>();
  /** How often somebody connected. */
  connections = 0;

  /** Connects to it. */
  readonly connect = (): Promise<LineChannel> => {
    this.connections++;
    const [near, far] = streamPair();
    this.#waiting.resolve(new LineChannel(far));
    return Promise.resolve(new LineChannel(near));
  };

  /** Takes the next connection and greets. */
  async greet(more: Omit<Greeting, "facts"> = {}) {
    const channel = await this.#waiting.promise;
    this.#waiting = Promise.withResolvers();
    const { session } = decodeHello(await channel.readLine(WAIT));
    await channel.writeLine(encodeHello(FACTS, more));
    return { channel, session, order: async () => decodeOrder(await channel.readLine(WAIT)) };
  }
}

async function opened(agent: Agent, options: EndOptions = {}) {
  const [end, first] = await Promise.all([
    agent.connect().then((channel) => End.open("guest", channel, FACTS, options)),
    agent.greet(),
  ]);
  const lost: number[] = [];
  const run = (number: number) =>
    end.run(startOrder(number), {
      onLine: () => Promise.resolve(),
      onLost: () => lost.push(number),
    });
  return { end, first, run, lost };
}

Deno.test("End.run() of several sides at once gives each its own report", async () => {
  const agent = new Agent();
  const { end, first, run } = await opened(agent);
  const reports = [run(1), run(2), run(3)];
  for (const number of [3, 1, 2]) {
    const report = { ...FAIL, step: `of ${number}` };
    await first.channel.writeLine(encodeMessage({ type: "done", run: number, report }));
  }
  const steps = (await Promise.all(reports)).map(({ step }) => step);
  assert.deepEqual(steps, ["of 1", "of 2", "of 3"]);
  end.close();
});

Deno.test("End goes on where its agent comes back, and takes what it says of the lost side", async () => {
  const agent = new Agent();
  const { end, first, run, lost } = await opened(agent, { again: agent.connect });
  const reports = [run(1), run(2)];
  await first.order();
  await first.order();
  await first.channel.writeLine(encodeMessage({ type: "step", run: 2, text: "recv(3)" }));
  first.channel.close();
  const second = await agent.greet({ resumed: [1] });
  assert.equal(second.session, first.session);
  await second.channel.writeLine(encodeMessage({ type: "done", run: 1, report: FAIL }));
  const [one, two] = await Promise.all(reports);
  assert.deepEqual(one, FAIL);
  assert.equal(two?.state, "broken");
  assert.match(
    two.reasons.join(),
    /^lost contact with its agent: .*it is back, but knows nothing about this/,
  );
  assert.equal(two.step, "recv(3)", "the last one that was heard of");
  assert.deepEqual(lost, [1, 2]);
  assert.equal(end.lost, undefined);
  assert.equal(end.deaths, 1);
  const third = run(3);
  assert.equal((await second.order()).run, 3);
  await second.channel.writeLine(encodeMessage({ type: "done", run: 3, report: FAIL }));
  assert.deepEqual(await third, FAIL);
  end.close();
});

Deno.test("End.run() waits for an agent that is on its way back", async () => {
  const agent = new Agent();
  const { end, first, run } = await opened(agent, { again: agent.connect });
  const lost = run(1);
  first.channel.close();
  const later = lost.then(() => run(2));
  const second = await agent.greet();
  assert.equal((await second.order()).run, 2);
  await second.channel.writeLine(encodeMessage({ type: "done", run: 2, report: FAIL }));
  assert.deepEqual(await later, FAIL);
  end.close();
});

Deno.test("End is lost where its agent does not come back in time, and asks until then", async () => {
  const agent = new Agent();
  let asked = 0;
  const again = () => {
    asked++;
    return Promise.reject(new PeerGoneError("nobody listens"));
  };
  const { end, first, run } = await opened(agent, { again, returnTime: 300 });
  const report = run(1);
  await first.order();
  using time = new RunningTime();
  const started = performance.now();
  first.channel.close();
  assert.equal((await report).state, "broken");
  const took = performance.now() - started;
  assert.ok(took >= 290 && time.passed < 4000, `it took ${took} ms`);
  assert.ok(asked > 1);
  assert.match(end.lost ?? "", /^lost contact with the guest agent: /);
});

Deno.test("End that nothing can bring back is lost at once, and says so of every later side", async () => {
  const agent = new Agent();
  const { end, first, run } = await opened(agent);
  const report = run(1);
  first.channel.close();
  assert.equal((await report).state, "broken");
  assert.match(end.lost ?? "", /^lost contact with the guest agent: /);
  assert.deepEqual((await run(2)).reasons, ["lost contact with its agent: it was lost before"]);
  assert.equal(agent.connections, 1);
});
