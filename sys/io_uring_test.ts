import assert from "node:assert/strict";
import { StillBlockedError } from "./errno.ts";
import { IORING_OP_READV, IORING_OP_SENDMSG } from "./io_uring_abi.ts";
import { IoUring } from "./io_uring.ts";
import { Socket } from "./socket.ts";
import { bytes } from "./structs.ts";
import { freshFamily } from "../tests/support/unix_pair.ts";
import { testWithUring as test } from "../tests/support/io_uring.ts";

async function connected() {
  const family = freshFamily();
  const address = { cid: 1, port: 1 };
  using listener = Socket.open(family, "stream");
  listener.bind(address);
  listener.listen(1);
  const client = Socket.open(family, "stream");
  await client.connect(address);
  const { socket: server } = await listener.accept();
  return { client, server };
}

test("IoUring sends pieces and reads them, many more than the ring has entries", async () => {
  const { client, server } = await connected();
  using _client = client;
  using _server = server;
  using ring = IoUring.open(2);
  for (let i = 0; i < 20; i++) {
    const pieces = [bytes(3).fill(i), bytes(0), bytes(5).fill(i + 1)];
    const sending = ring.sendmsg(client.fd, pieces);
    assert.deepEqual(await ring.wait(), { userData: sending, result: 8, flags: 0 });
    const into = bytes(10);
    const reading = ring.readv(server.fd, [into.subarray(0, 4), into.subarray(4)]);
    const read = await ring.wait();
    assert.equal(read.userData, reading);
    assert.equal(read.result, 8);
    assert.deepEqual([...into], [i, i, i, i + 1, i + 1, i + 1, i + 1, i + 1, 0, 0]);
  }
});

test("IoUring.wait() waits for what comes later", async () => {
  const { client, server } = await connected();
  using _client = client;
  using _server = server;
  using ring = IoUring.open(1);
  const into = bytes(4);
  const reading = ring.readv(server.fd, [into]);
  const waiting = ring.wait();
  await client.send(bytes(2).fill(7));
  const { userData, result } = await waiting;
  assert.deepEqual({ userData, result }, { userData: reading, result: 2 });
  assert.deepEqual([...into], [7, 7, 0, 0]);
});

test("IoUring.wait() ends with its signal", async () => {
  const { client, server } = await connected();
  using _client = client;
  using _server = server;
  const ending = new AbortController();
  using ring = IoUring.open(1, { signal: ending.signal });
  ring.readv(server.fd, [bytes(1)]);
  const waiting = ring.wait();
  ending.abort();
  await assert.rejects(() => waiting, StillBlockedError);
});

test("IoUring gives the negated errno of an operation that fails", async () => {
  using ring = IoUring.open(1);
  const reading = ring.readv(-1, [bytes(1)]);
  assert.deepEqual(await ring.wait(), { userData: reading, result: -9, flags: 0 });
});

test("IoUring.supports() knows operations, and those that no kernel has", () => {
  using ring = IoUring.open(1);
  assert.ok(ring.supports(IORING_OP_READV));
  assert.ok(ring.supports(IORING_OP_SENDMSG));
  assert.ok(!ring.supports(255));
});

test("IoUring.registerBuffers() takes buffers once", () => {
  using ring = IoUring.open(1);
  const buffers = [bytes(4096), bytes(100)];
  ring.registerBuffers(buffers);
  assert.throws(() => ring.registerBuffers(buffers), { code: "EBUSY" });
});

test("IoUring.open() throws what the kernel says", () => {
  assert.throws(() => IoUring.open(0), { code: "EINVAL" });
});

test("IoUring cannot be used once it is closed", async () => {
  const ring = IoUring.open(1);
  ring[Symbol.dispose]();
  ring[Symbol.dispose]();
  await assert.rejects(() => ring.wait(), /closed/);
});
