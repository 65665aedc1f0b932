import assert from "node:assert/strict";
import { at, connectedPair, freshFamily } from "../tests/support/unix_pair.ts";
import { RunningTime } from "../tests/support/running_time.ts";
import { MSG_DONTWAIT, POLLIN, SO_RCVTIMEO, SO_SNDBUF, SOL_SOCKET } from "./constants.ts";
import { StillBlockedError } from "./errno.ts";
import { type CallContext, TimedSysError } from "./descriptor.ts";
import { Socket } from "./socket.ts";
import { bytes } from "./structs.ts";

/** How much later than the abort a call may end, in milliseconds: 10 without any load. */
const BOUND = 2000;

/** A call that blocks for ever, and what must be closed after it. */
type Blocked = (context: CallContext) => Promise<{ call: Promise<unknown>; held: Disposable[] }>;

async function onPair(context: CallContext, blocked: (socket: Socket) => Promise<unknown>) {
  const pair = await connectedPair("stream", context);
  return { call: blocked(pair.client), held: [pair] };
}

/** Sends until there is no more room. */
async function fill(socket: Socket): Promise<void> {
  socket.setInt(SOL_SOCKET, SO_SNDBUF, 4096);
  try {
    for (;;) await socket.send(bytes(1024), MSG_DONTWAIT);
  } catch (error) {
    if (!(error instanceof TimedSysError) || error.code !== "EAGAIN") throw error;
  }
}

const BLOCKED: Readonly<Record<string, Blocked>> = {
  recv: (context) => onPair(context, (socket) => socket.recv(bytes(1))),
  read: (context) => onPair(context, (socket) => socket.readTimed(bytes(1))),
  recvmsg: (context) => onPair(context, (socket) => socket.recvmsg([bytes(1)])),
  poll: (context) => onPair(context, (socket) => socket.poll(POLLIN)),
  send: (context) =>
    onPair(context, async (socket) => {
      await fill(socket);
      await socket.send(bytes(1024));
    }),
  sendmsg: (context) =>
    onPair(context, async (socket) => {
      await fill(socket);
      await socket.sendmsg([bytes(1024)]);
    }),
  accept4: (context) => {
    const listener = Socket.open(freshFamily(), "stream", context);
    listener.bind(at(1));
    listener.listen(1);
    return Promise.resolve({ call: listener.accept(), held: [listener] });
  },
  // AF_UNIX blocks where the backlog is full.
  connect: async (context) => {
    const family = freshFamily();
    const sockets = [1, 2, 3].map(() => Socket.open(family, "stream", context));
    const [listener, first, second] = sockets;
    assert.ok(listener && first && second);
    listener.bind(at(1));
    listener.listen(0);
    await first.connect(at(1));
    return { call: second.connect(at(1)), held: sockets };
  },
};

for (const [symbol, blocked] of Object.entries(BLOCKED)) {
  Deno.test(`a blocked ${symbol}() ends with StillBlockedError when it is aborted`, async () => {
    const stop = new AbortController();
    const { call, held } = await blocked({ signal: stop.signal });
    using time = new RunningTime();
    let aborted = 0;
    setTimeout(() => {
      aborted = time.passed;
      stop.abort();
    }, 60);
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof StillBlockedError, String(error));
      assert.match(error.message, new RegExp(`^${symbol}\\(\\d+.*\\) was still blocked after`));
      return true;
    });
    const late = time.passed - aborted;
    assert.ok(stop.signal.aborted && late < BOUND, `it ended ${late} ms after the abort`);
    held.forEach((each) => each[Symbol.dispose]());
  });
}

Deno.test("a call begun after the abort does not block either", async () => {
  const stop = new AbortController();
  using pair = await connectedPair("stream", { signal: stop.signal });
  stop.abort();
  using time = new RunningTime();
  await assert.rejects(pair.client.recv(bytes(1)), StillBlockedError);
  assert.ok(time.passed < BOUND);
});

Deno.test("an abort leaves a call alone that could complete", async () => {
  const stop = new AbortController();
  using pair = await connectedPair("stream", { signal: stop.signal });
  await pair.client.send(bytes(3));
  stop.abort();
  assert.equal(await pair.server.recv(bytes(8)), 3);
});

Deno.test("recv() that SO_RCVTIMEO ends fails with EAGAIN and says how long it took", async () => {
  using pair = await connectedPair("stream");
  pair.client.setTimeval(SOL_SOCKET, SO_RCVTIMEO, 80);
  await assert.rejects(pair.client.recvTimed(bytes(1)), (error) => {
    assert.ok(error instanceof TimedSysError);
    assert.equal(error.code, "EAGAIN");
    assert.ok(error.nanoseconds > 70_000_000n, `${error.nanoseconds} ns`);
    return true;
  });
});

Deno.test("many blocked calls do not keep others from blocking beside them", async () => {
  const stop = new AbortController();
  const pairs = await Promise.all(
    Array.from({ length: 12 }, () => connectedPair("stream", { signal: stop.signal })),
  );
  const receiving = pairs.map(({ server }) => server.recv(bytes(1)));
  for (const { client } of pairs) await client.send(bytes(1));
  assert.deepEqual(await Promise.all(receiving), pairs.map(() => 1));
  pairs.forEach((pair) => pair[Symbol.dispose]());
});
