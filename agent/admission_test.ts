import assert from "node:assert/strict";
import type { SideReport } from "../core/outcome.ts";
import { type AgentServices, serveController } from "./session.ts";
import { LineChannel, PeerGoneError } from "../control/channel.ts";
import { BusyError, decodeHello, encodeHello, type Greeting, HELLO } from "../control/greeting.ts";
import { unlessAborted } from "../control/lines.ts";
import { streamPair } from "../control/stream_pair.ts";
import { decodeAnswer, encodeMessage } from "../control/wire.ts";
import { startOrder } from "../tests/support/start_order.ts";

const FACTS = { name: "agent", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
const PASS: SideReport = { state: "pass", reasons: [], step: "", milliseconds: 1 };
const TOKEN = "0123456789abcdef";
/** How long anything may take, in milliseconds: only what hangs takes that. */
const WAIT = 60_000;

/** An agent, and the channel of a controller that a test scripts. */
function agent(services: Partial<AgentServices> = {}) {
  const ran: number[] = [];
  const [near, far] = streamPair();
  const served = serveController(new LineChannel(near), {
    facts: FACTS,
    runSide: ({ run }) => {
      ran.push(run);
      return Promise.resolve(PASS);
    },
    ...services,
  });
  // A test may look at the end later than it comes.
  served.catch(() => {});
  const channel = new LineChannel(far);
  return {
    served,
    ran,
    channel,
    greet: (more: Omit<Greeting, "facts"> = {}) => greet(channel, more),
  };
}

async function greet(channel: LineChannel, more: Omit<Greeting, "facts">): Promise<Greeting> {
  await channel.writeLine(encodeHello(FACTS, more));
  return decodeHello(await channel.readLine(WAIT));
}

Deno.test("serveController() serves whoever has its token, and tells nobody else what it is", async () => {
  const wrong = [
    [{}, /^the peer refused: this agent requires a token: give --token-file/],
    [{ token: "" }, /refused: .*is not this agent's/],
    [{ token: TOKEN.slice(1) }, /refused: .*is not this agent's/],
    [{ token: `${TOKEN}0` }, /refused: .*is not this agent's/],
    [{ token: TOKEN.toUpperCase() }, /refused: .*is not this agent's/],
  ] as const;
  for (const [more, message] of wrong) {
    const { greet, served, channel, ran } = agent({ token: TOKEN });
    await assert.rejects(greet(more), { name: "RefusedError", message });
    await assert.rejects(served, { name: "RefusedError" });
    await channel.writeLine(encodeMessage(startOrder(1))).catch(() => {});
    await assert.rejects(channel.readLine(WAIT), PeerGoneError);
    assert.deepEqual(ran, []);
  }
  const { greet, channel, served } = agent({ token: TOKEN });
  assert.deepEqual((await greet({ token: TOKEN })).facts, FACTS);
  channel.close();
  await served;
});

Deno.test("serveController() asks for no token where it has none", async () => {
  for (const more of [{}, { token: TOKEN }]) {
    const { greet, channel, served } = agent();
    await greet(more);
    channel.close();
    await served;
  }
});

Deno.test("serveController() tells a controller of another version that it is that", async () => {
  const { channel, served } = agent();
  await channel.writeLine(`HELLO vsock-conformance/1 ${JSON.stringify(FACTS)}`);
  // What the first version makes an error of, whatever follows.
  assert.match(
    await channel.readLine(WAIT),
    /^REFUSED one side speaks vsock-conformance\/1 and the other vsock-conformance\/2: use the same/,
  );
  await assert.rejects(served, { name: "RefusedError" });
});

Deno.test("serveController() turns away whom it is told to, with what it is told", async () => {
  const seen: (string | undefined)[] = [];
  const { greet, served, ran } = agent({
    admit: ({ session }) => {
      seen.push(session);
      return Promise.reject(new BusyError("another controller is using this agent"));
    },
  });
  await assert.rejects(greet({ session: "mine" }), {
    name: "BusyError",
    message: "the peer refused: another controller is using this agent",
  });
  await assert.rejects(served, { name: "BusyError" });
  assert.deepEqual([seen, ran], [["mine"], []]);
});

Deno.test("serveController() says which ports its cases may use, and refuses others", async () => {
  const ports = [1000, 1031] as const;
  for (
    const [port, isRight] of [[1000, true], [1016, true], [999, false], [1017, false]] as const
  ) {
    const { greet, channel, served, ran } = agent({ ports });
    assert.deepEqual((await greet()).ports, ports);
    await channel.writeLine(encodeMessage({ ...startOrder(1), port }));
    if (isRight) {
      assert.equal(decodeAnswer(await channel.readLine(WAIT)).type, "done");
      channel.close();
      await served;
    } else {
      const message = `the controller asks for the ports ${port} to ${port + 15}; ` +
        "this agent's are 1000 to 1031, see --ports";
      await assert.rejects(served, { name: "ProtocolError", message });
      assert.deepEqual(ran, []);
    }
  }
});

Deno.test("serveController() lets go of a controller that greets and is silent, and stops its case", async () => {
  const reasons: unknown[] = [];
  const { greet, channel, served } = agent({
    keepAlive: { interval: 20, limit: 100 },
    runSide: async ({ stop }) => {
      await unlessAborted(new Promise(() => {}), stop).catch((reason) => reasons.push(reason));
      return { ...PASS, state: "stopped", reasons: ["stopped"] };
    },
  });
  await greet();
  await channel.writeLine(encodeMessage(startOrder(1)));
  await assert.rejects(served, { name: "SilentPeerError", message: /silent for 0\.1 s/ });
  assert.equal(reasons.length, 1);
});

Deno.test("serveController() keeps a controller that has nothing to say, and says that it is there", async () => {
  const { greet, channel, served } = agent({ keepAlive: { interval: 20, limit: 200 } });
  await greet();
  channel.keepAlive({ interval: 20, limit: 200 });
  const line = channel.readLine(WAIT);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await channel.writeLine(encodeMessage(startOrder(1)));
  assert.equal(decodeAnswer(await line).type, "done");
  channel.close();
  await served;
});

Deno.test("the greeting's first word is that of this version", () => {
  assert.equal(HELLO, "HELLO vsock-conformance/2");
});
