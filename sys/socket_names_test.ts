/**
 * Calls with names, lengths, numbers and memory of the caller's own, over AF_UNIX.
 *
 * @module
 */
import assert from "node:assert/strict";
import { at, connectedPair, freshFamily } from "../tests/support/unix_pair.ts";
import {
  AF_VSOCK,
  SO_KEEPALIVE,
  SO_RCVTIMEO,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./constants.ts";
import { FORBID_VSOCK } from "./forbidden.ts";
import { Socket } from "./socket.ts";
import { bytes, int, intOf, VSOCK } from "./structs.ts";

/** An address in the page that nobody has. */
const NOWHERE = 16n;

Deno.test("Socket.create() takes types, flags and protocols as they are", () => {
  const family = freshFamily();
  for (const flags of [0, SOCK_NONBLOCK, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC]) {
    using socket = Socket.create(family, SOCK_STREAM | flags, 0);
    assert.equal(socket.isNonblocking(), (flags & SOCK_NONBLOCK) !== 0);
    assert.equal(socket.closesOnExec(), (flags & SOCK_CLOEXEC) !== 0);
  }
  using _datagrams = Socket.create(family, SOCK_DGRAM, 0);
  assert.throws(() => Socket.create(family, SOCK_STREAM, 99), { code: "EPROTONOSUPPORT" });
  assert.throws(() => Socket.create(family, 99, 0), { code: "EINVAL" });
});

Deno.test("Socket.pair() gives two sockets that are connected", async () => {
  const [one, other] = Socket.pair(freshFamily(), "stream");
  assert.ok(one !== undefined && other !== undefined);
  using _both = new DisposableStack();
  _both.use(one);
  _both.use(other);
  await one.send(Uint8Array.of(7));
  const into = bytes(1);
  await other.recv(into);
  assert.equal(into[0], 7);
});

Deno.test("Socket.create() and pair() refuse AF_VSOCK where it is forbidden", () => {
  Deno.env.set(FORBID_VSOCK, "1");
  const message = /AF_VSOCK.*FORBID_VSOCK is set/;
  assert.throws(() => Socket.create(VSOCK, SOCK_STREAM, 0), { message });
  assert.throws(() => Socket.pair(VSOCK, "stream"), { message });
});

Deno.test("setNonblocking() has calls wait again", () => {
  using socket = Socket.open(freshFamily(), "stream");
  for (const on of [true, false]) {
    socket.setNonblocking(on);
    assert.equal(socket.isNonblocking(), on);
  }
});

Deno.test("bindName() and connectName() pass names and lengths as they are", async () => {
  const family = freshFamily();
  using listener = Socket.open(family, "stream");
  const name = family.encode(at(1));
  assert.throws(() => listener.bindName(name, -1), { code: "EINVAL" });
  assert.throws(() => listener.bindName(NOWHERE, name.length), { code: "EFAULT" });
  listener.bindName(name, name.length);
  listener.listen(1);
  using client = Socket.open(family, "stream");
  assert.throws(() => client.connectName(name, 1), { code: "EINVAL" });
  client.connectName(name, name.length);
  const { socket } = await listener.accept();
  using _accepted = socket;
});

Deno.test("nameInto() and acceptHere() store as much of a name as there is room for", () => {
  const family = freshFamily();
  using listener = Socket.open(family, "stream");
  const name = family.encode(at(1));
  listener.bind(at(1));
  listener.listen(1);
  const into = bytes(4).fill(9);
  const length = int(2);
  listener.nameInto("getsockname", into, length);
  assert.equal(intOf(length), name.length);
  assert.deepEqual([...into], [...name.subarray(0, 2), 9, 9]);
  assert.throws(() => listener.nameInto("getsockname", into, NOWHERE), { code: "EFAULT" });
  using client = Socket.open(family, "stream");
  client.bind(at(2));
  client.connectHere(at(1));
  const from = bytes(128);
  const fromLength = int(128);
  using accepted = listener.acceptHere(SOCK_NONBLOCK, from, fromLength);
  assert.deepEqual([accepted.isNonblocking(), accepted.closesOnExec()], [true, false]);
  assert.deepEqual(from.subarray(0, intOf(fromLength)), family.encode(at(2)));
});

Deno.test("sendTo() and recvFrom() do not wait, and pass names", async () => {
  using pair = await connectedPair("stream");
  const { client, server } = pair;
  const length = int(16);
  assert.throws(() => server.recvFrom(bytes(1), bytes(16), length), { code: "EAGAIN" });
  const name = client.family.encode(at(1));
  assert.throws(() => client.sendTo(bytes(1), name), { code: "EISCONN" });
  await client.send(bytes(3));
  assert.equal(server.recvFrom(bytes(8), null, null), 3);
});

Deno.test("getsockoptAt() and setsockoptAt() pass lengths and addresses as they are", () => {
  using socket = Socket.open(freshFamily(), "stream");
  const set = (at: bigint, length: number) => () =>
    socket.setsockoptAt(SOL_SOCKET, SO_KEEPALIVE, at, length);
  assert.throws(set(NOWHERE, 4), { code: "EFAULT" });
  assert.throws(set(NOWHERE, -1), { code: "EINVAL" });
  const get = () => socket.getsockoptAt(SOL_SOCKET, SO_KEEPALIVE, NOWHERE, int(4));
  assert.throws(get, { code: "EFAULT" });
  socket.setTimeval(SOL_SOCKET, SO_RCVTIMEO, 1500);
  assert.equal(socket.getTimeval(SOL_SOCKET, SO_RCVTIMEO), 1500);
  assert.throws(() => socket.getU64(AF_VSOCK, 0), { code: "EOPNOTSUPP" });
});
