/**
 * Hostile peers over TCP: nothing hangs, nothing grows without bound, and nothing runs that was not
 * asked for.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { serveController } from "../agent/session.ts";
import { connectControl, LineChannel, listenControl } from "../control/channel.ts";
import { End } from "../runner/end.ts";
import { decodeOrder, ProtocolError } from "../control/wire.ts";
import { RunningTime } from "./support/running_time.ts";
import {
  behave,
  closeOnce,
  FACTS,
  type Hostile,
  hostile,
  hostileBytes,
} from "./support/hostile.ts";
import { childrenOf, runTool, startAgent, until } from "./support/tool.ts";
import { freshName } from "./support/unix_pair.ts";

/** How long any of it may take, in milliseconds: only what hangs takes that. */
const PATIENCE = 60_000;
/** How long a peer may take to introduce itself where that is tried. */
const HELLO_TIME = 150;

/** A connection over 127.0.0.1, both its ends. */
async function connected(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = listenControl({ host: "127.0.0.1", port: 0 });
  const accepting = listener.accept();
  const { port } = listener.addr as Deno.NetAddr;
  return [await Deno.connect({ hostname: "127.0.0.1", port }), await accepting];
}

/** Fails where something takes too long. */
async function soon<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} hangs`)), PATIENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The ids that a peer rightly asks for, one after the other, up to the first nonsense. */
function askedFor({ bytes }: Hostile): string[] {
  const lines = new TextDecoder().decode(bytes).split("\n");
  return lines.flatMap((line) => {
    try {
      const order = decodeOrder(line);
      return order.type === "start" ? [order.id] : [];
    } catch {
      return [];
    }
  });
}

Deno.test("serveController() ends for any peer over TCP, and runs only what it was asked for", async () => {
  let everRan = 0;
  await fc.assert(
    fc.asyncProperty(hostile, async (how) => {
      const [theirs, ours] = await connected();
      const ran: string[] = [];
      let stopped = 0;
      const served = serveController(new LineChannel(ours), {
        facts: FACTS,
        helloTime: HELLO_TIME,
        runSide: ({ id, stop }) => {
          ran.push(id);
          return new Promise((resolve) => {
            const end = () => {
              stopped++;
              resolve({ state: "stopped", reasons: ["stopped"], step: "", milliseconds: 0 });
            };
            if (stop.aborted) end();
            else stop.addEventListener("abort", end);
          });
        },
      }).catch((error) => assert.match(String(error), /^(ProtocolError|SilentPeerError): /));
      const behaving = behave(theirs, how);
      // One that greets well and then stays silent is a good controller, which has no work.
      const patient = setTimeout(() => closeOnce(theirs), 3 * HELLO_TIME);
      await soon("the agent", served);
      clearTimeout(patient);
      await soon("the peer", behaving);
      const asked = askedFor(how);
      assert.ok(ran.every((id) => asked.includes(id)), `ran ${ran}, asked for ${asked}`);
      assert.equal(stopped, ran.length, "whatever ran was stopped");
      everRan += ran.length;
      if (!how.greets && !new TextDecoder().decode(how.bytes).startsWith("HELLO ")) {
        assert.deepEqual(ran, [], "nothing runs for whom nobody knows");
      }
    }),
    { numRuns: 40, seed: 1 },
  );
  assert.ok(everRan > 0, "some of them asked for a case as one must");
});

Deno.test("LineChannel over TCP gives lines or an error for any bytes, and holds no more than a line", async () => {
  await fc.assert(
    fc.asyncProperty(hostileBytes, async (bytes) => {
      const [theirs, ours] = await connected();
      const how = { greets: false, bytes, pieces: 3, ends: "close" } as const;
      const behaving = behave(theirs, how);
      using channel = new LineChannel(ours);
      const limit = 256 * 1024;
      const end = await soon(
        "the channel",
        (async () => {
          for (;;) {
            const line = await channel.readLine(PATIENCE);
            if (line.length > limit) return new Error("a line is too long");
          }
        })().catch((error) => error),
      );
      assert.match(end.name, /^(PeerGoneError|ProtocolError)$/, String(end));
      channel.close();
      await soon("the peer", behaving);
    }),
    { numRuns: 40, seed: 2 },
  );
});

Deno.test("serveController() ends a peer that drips at its time, however many bytes come", async () => {
  const [theirs, ours] = await connected();
  using time = new RunningTime();
  const served = serveController(new LineChannel(ours), {
    facts: FACTS,
    helloTime: HELLO_TIME,
    runSide: () => assert.fail("nothing may run"),
  });
  let dripping = true;
  const drip = (async () => {
    while (dripping) {
      await theirs.write(new TextEncoder().encode("H")).catch(() => dripping = false);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  await assert.rejects(served, { name: "SilentPeerError" });
  assert.ok(time.passed < HELLO_TIME + 2000);
  dripping = false;
  await drip;
  theirs.close();
});

Deno.test("End.run() ends opposite any agent over TCP", async () => {
  await fc.assert(
    fc.asyncProperty(hostile, async (how) => {
      const [theirs, ours] = await connected();
      const behaving = behave(theirs, { ...how, greets: true });
      const { promise: never } = Promise.withResolvers<void>();
      const lines: string[] = [];
      const ended = (async () => {
        using end = await End.open("guest", new LineChannel(ours), FACTS, { helloTime: PATIENCE });
        const order = { type: "start", run: 1, id: "a/b/c", role: "client" } as const;
        const report = end.run({ ...order, port: 1, seed: 1, timeout: 100 }, {
          onLine: (text) => Promise.resolve(void lines.push(text)),
          onLost: () => {},
        });
        // As the controller does for an agent that does not report.
        const late = setTimeout(() => end.abandon("it did not report in time"), HELLO_TIME);
        const { state } = await Promise.race([report, never as Promise<never>]);
        clearTimeout(late);
        return state;
      })();
      const state = await soon("the end", ended.catch((error) => error));
      if (state instanceof Error) assert.ok(state instanceof ProtocolError, String(state));
      else assert.ok(["broken", "pass", "fail", "timeout", "skip", "stopped"].includes(state));
      await soon("the peer", behaving);
    }),
    { numRuns: 40, seed: 3 },
  );
});

/** How many hostile peers come to an agent, and how many of them at the same time. */
const PEERS = 60;
const AT_ONCE = 6;
/** How much the agent may grow by them, in kB: what it read is garbage by then. */
const GROWTH = 64 * 1024;

Deno.test("an agent outlives hostile peers, several at once, does not grow, and then runs a case", async () => {
  const name = freshName();
  const { tool: agent, address } = await startAgent("--stand-in", name);
  await using _agent = agent;
  const [hostname = "", port] = address.split(":");
  const [pid = 0] = await childrenOf(agent.pid);
  const memory = async () => {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]);
  };
  const descriptors = async () => (await Array.fromAsync(Deno.readDir(`/proc/${pid}/fd`))).length;
  const peers = fc.sample(hostile, { numRuns: PEERS, seed: 4 });
  const come = async () => {
    for (let how; (how = peers.pop()) !== undefined;) {
      const connection = await Deno.connect({ hostname, port: Number(port) });
      const ends = how.ends === "stay" ? "read" : how.ends;
      await soon("a peer", behave(connection, { ...how, ends }));
    }
  };
  const before = { memory: await memory(), descriptors: await descriptors() };
  await Promise.all(Array.from({ length: AT_ONCE }, come));
  const args = ["run", "--peer-cid", "1", "--agent", address, "--stand-in", name];
  await until(async () => {
    const { code, stdout, stderr } = await runTool([...args, "stream/msg-peek/leaves-data"]);
    // The last of them may not have been noticed yet.
    if (/another controller is using/.test(stderr)) return false;
    assert.equal(code, 0, stdout + stderr);
    return true;
  }, "the agent is busy for good");
  assert.deepEqual(await childrenOf(agent.pid), [pid], "no process died of them");
  assert.ok(await memory() - before.memory < GROWTH, `${before.memory} kB -> ${await memory()} kB`);
  await until(async () => await descriptors() <= before.descriptors, "descriptors are left open");
});

Deno.test("a controller that is one of two at once is refused, whatever the other does", async () => {
  const { tool: agent, address } = await startAgent("--stand-in", freshName());
  await using _agent = agent;
  const [host = "", port] = address.split(":");
  using first = await connectControl({ host, port: Number(port) }, PATIENCE);
  using end = await End.open("guest", first, FACTS);
  using second = await connectControl({ host, port: Number(port) }, PATIENCE);
  await assert.rejects(End.open("guest", second, FACTS), {
    message: /refused: another controller/,
  });
  assert.equal(end.lost, undefined);
});

Deno.test("what a hostile agent says reaches the terminal as text", async () => {
  for (const says of ["REFUSED \u001b[2J\u009b31m\u202e", "\u001b[2J\u009b31m\u202e"]) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = (async () => {
      for await (const connection of listener) {
        await connection.write(new TextEncoder().encode(`${says}\n`)).catch(() => {});
        closeOnce(connection);
      }
    })().catch(() => {});
    const { code, stdout, stderr } = await runTool([
      ...["run", "--peer-cid", "1", "--agent", `127.0.0.1:${listener.addr.port}`],
      ...["--stand-in", freshName(), "--connect-timeout", "5", "stream/close"],
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /\u241b\[2J\ufffd31m\ufffd/);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(stdout + stderr, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    listener.close();
    await serving;
  }
});
