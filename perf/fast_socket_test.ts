import assert from "node:assert/strict";
import v8 from "node:v8";
import { MSG_DONTWAIT, POLLIN } from "../sys/constants.ts";
import { MonotonicClock } from "../sys/libc_fast.ts";
import { SysError } from "../sys/errno.ts";
import type { Socket } from "../sys/socket.ts";
import { bytes } from "../sys/structs.ts";
import { connectedPair } from "../tests/support/unix_pair.ts";
import { FastSocket, IdlePeerError } from "./fast_socket.ts";
import { Histogram } from "./histogram.ts";

const SIZE = 64;
const LENGTH = BigInt(SIZE);
/** Calls in a round trip of {@linkcode roundTrips}: two clocks, send, poll, recv. */
const CALLS = 5;
/** Bytes a call: an object a call takes 12 at the least, the engine itself has taken 3. */
const MAX_PER_CALL = 8;

/** All that was ever allocated on the engine's heap, in bytes. */
function allocated(): number {
  const statistics = v8.getHeapStatistics() as unknown as { total_allocated_bytes: number };
  return statistics.total_allocated_bytes;
}

/** What the loops of `perf latency` do, both ends on one thread. */
function roundTrips(count: number, client: FastSocket, server: FastSocket): void {
  const clock = new MonotonicClock();
  const times = new Histogram();
  const buffer = bytes(SIZE);
  for (let i = 0; i < count; i++) {
    const began = clock.now();
    client.sendAll(buffer, SIZE, LENGTH);
    server.poll(POLLIN);
    server.recvAll(buffer, SIZE, LENGTH);
    times.record(clock.now() - began);
  }
}

/** The same through the calls that cases use. */
async function slowRoundTrips(count: number, client: Socket, server: Socket): Promise<void> {
  const buffer = bytes(SIZE);
  for (let i = 0; i < count; i++) {
    client.sendHere(buffer);
    await server.recv(buffer);
  }
}

Deno.test("FastSocket allocates nothing in 1,000,000 calls, unlike Socket", async () => {
  using pair = await connectedPair("stream");
  const client = new FastSocket(pair.client, 1000);
  const server = new FastSocket(pair.server, 1000);
  const rounds = 1_000_000 / CALLS;
  roundTrips(rounds, client, server);
  const before = allocated();
  roundTrips(rounds, client, server);
  const perCall = (allocated() - before) / (rounds * CALLS);
  assert.ok(perCall < MAX_PER_CALL, `${perCall} bytes a call`);
  const control = allocated();
  await slowRoundTrips(1000, pair.client, pair.server);
  const shown = (allocated() - control) / 2000;
  assert.ok(shown > MAX_PER_CALL, `what does allocate shows ${shown} bytes a call`);
});

Deno.test("FastSocket.send() tells the errno of a call that failed", async () => {
  using pair = await connectedPair("stream");
  const client = new FastSocket(pair.client, 1000);
  await pair.server.close();
  assert.throws(
    () => client.send(bytes(SIZE), LENGTH, 0),
    (error: unknown) => error instanceof SysError && error.code === "EPIPE",
  );
});

Deno.test("FastSocket.recv() takes no end for one where the connection was reset", async () => {
  using pair = await connectedPair("stream");
  const client = new FastSocket(pair.client, 1000);
  client.send(bytes(SIZE), LENGTH, 0);
  // AF_UNIX resets where the peer closes with something unread, and says so once.
  await pair.server.close();
  assert.throws(() => client.recv(bytes(SIZE), LENGTH, 0), /failed, and then met the end/);
});

Deno.test("FastSocket gives up on a peer that does nothing", async () => {
  using pair = await connectedPair("stream");
  const client = new FastSocket(pair.client, 30);
  assert.throws(() => client.recv(bytes(SIZE), LENGTH, 0), IdlePeerError);
  assert.throws(() => client.poll(POLLIN), IdlePeerError);
  const large = bytes(4 * 1024 * 1024);
  assert.throws(() => client.sendAll(large, large.length, BigInt(large.length)), IdlePeerError);
});

Deno.test("FastSocket gives -1 where it is not to wait", async () => {
  using pair = await connectedPair("seqpacket");
  const client = new FastSocket(pair.client, 1000);
  assert.equal(client.recv(bytes(SIZE), LENGTH, MSG_DONTWAIT), -1);
  let sent = 0;
  while (sent >= 0) sent = client.send(bytes(SIZE), LENGTH, MSG_DONTWAIT);
  assert.equal(sent, -1);
});

Deno.test("FastSocket.recvAll() tells an end before a message from one within it", async () => {
  using pair = await connectedPair("stream");
  const client = new FastSocket(pair.client, 1000);
  await pair.server.send(bytes(SIZE + 1));
  pair.server.shutdown(1);
  assert.equal(client.recvAll(bytes(SIZE), SIZE, LENGTH), true);
  assert.throws(() => client.recvAll(bytes(SIZE), SIZE, LENGTH), /in the midst of a message/);
  assert.equal(client.recvAll(bytes(SIZE), SIZE, LENGTH), false);
});
