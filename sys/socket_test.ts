import assert from "node:assert/strict";
import { at, connectedPair, freshFamily } from "../tests/support/unix_pair.ts";
import {
  AF_VSOCK,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_TRUNC,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  SHUT_WR,
  SIOCINQ,
  SIOCOUTQ,
  SO_ERROR,
  SO_LINGER,
  SO_RCVTIMEO,
  SOL_SOCKET,
  VMADDR_CID_ANY,
  VMADDR_PORT_ANY,
} from "./constants.ts";
import { localCids } from "./transports.ts";
import { call } from "./libc.ts";
import { TimedSysError } from "./descriptor.ts";
import { FORBID_VSOCK } from "./forbidden.ts";
import { Socket } from "./socket.ts";
import { bytes, encodeControlMessages, int, timeval, VSOCK } from "./structs.ts";

const TYPES = ["stream", "seqpacket"] as const;
const SCM_RIGHTS = 1;
const SCM_CREDENTIALS = 2;
const SO_PASSCRED = 16;

const text = (value: string) => new TextEncoder().encode(value);

Deno.test("Socket.open() and localCids() refuse AF_VSOCK where it is forbidden", () => {
  Deno.env.set(FORBID_VSOCK, "1");
  assert.throws(() => Socket.open(VSOCK, "stream"), { message: /AF_VSOCK.*FORBID_VSOCK is set/ });
  assert.throws(() => localCids(), { message: /\/dev\/vsock.*FORBID_VSOCK is set/ });
});

for (const type of TYPES) {
  Deno.test(`connect() and accept() make a ${type} connection with both names`, async () => {
    const family = freshFamily();
    using listener = Socket.open(family, type);
    listener.bind(at(10));
    listener.listen(1);
    using client = Socket.open(family, type);
    client.bind(at(11));
    const accepting = listener.accept();
    await client.connect(at(10));
    const { socket, address } = await accepting;
    using server = socket;
    assert.deepEqual(address, { cid: VMADDR_CID_ANY, port: 11 });
    assert.equal(client.getsockname().port, 11);
    assert.equal(client.getpeername().port, 10);
    assert.equal(server.getsockname().port, 10);
    assert.equal(server.getpeername().port, 11);
    assert.equal(server.type, type);
    assert.equal(server.family, family);
  });

  Deno.test(`send() and recv() carry data on a ${type} socket, and 0 is its end`, async () => {
    using pair = await connectedPair(type);
    assert.equal(await pair.client.send(text("hello")), 5);
    const into = bytes(16);
    assert.equal(await pair.server.recv(into, MSG_PEEK), 5);
    assert.equal(await pair.server.recv(into), 5);
    assert.deepEqual(into.slice(0, 5), text("hello"));
    pair.client.shutdown(SHUT_WR);
    assert.equal(await pair.server.recv(into), 0);
    assert.equal(await pair.server.send(text("back")), 4);
    assert.equal((await pair.client.readTimed(into)).result, 4);
    await assert.rejects(pair.client.send(text("x")), { name: "SysError", code: "EPIPE" });
  });
}

Deno.test("a socket of a subclass accepts sockets of that subclass", async () => {
  class Special extends Socket {}
  const family = freshFamily();
  using listener = Special.open(family, "stream");
  listener.bind(at(1));
  listener.listen(1);
  using client = Socket.open(family, "stream");
  await client.connect(at(1));
  const { socket, address } = await listener.accept();
  using server = socket;
  assert.ok(server instanceof Special);
  assert.equal(address.port, VMADDR_PORT_ANY, "the client has no name");
});

Deno.test("a failed call says the call, its descriptor and its arguments", async () => {
  const family = freshFamily();
  using socket = Socket.open(family, "stream");
  await assert.rejects(socket.connect({ cid: 3, port: 7 }), (error) => {
    assert.ok(error instanceof TimedSysError);
    assert.equal(
      error.message,
      `connect(${socket.fd}, unix 3:7): ECONNREFUSED (Connection refused)`,
    );
    assert.ok(error.nanoseconds > 0n);
    return true;
  });
  assert.throws(() => socket.getpeername(), {
    code: "ENOTCONN",
    call: `getpeername(${socket.fd})`,
  });
  socket.bind(at(1));
  using second = Socket.open(family, "stream");
  assert.throws(() => second.bind({ cid: VMADDR_CID_ANY, port: 1 }), {
    message: `bind(${second.fd}, unix any:1): EADDRINUSE (Address already in use)`,
  });
});

Deno.test("every call is traced before it is made", async () => {
  const trace: string[] = [];
  using pair = await connectedPair("seqpacket", { trace: (step) => trace.push(step) });
  const { fd } = pair.client;
  trace.length = 0;
  await pair.client.send(bytes(3), MSG_DONTWAIT);
  pair.client.shutdown(SHUT_WR);
  await pair.client.poll(POLLOUT, 0);
  await pair.client.close();
  assert.deepEqual(trace, [
    `send(${fd}, 3, MSG_DONTWAIT)`,
    `shutdown(${fd}, SHUT_WR)`,
    `poll(${fd}, POLLOUT, 0 ms)`,
    `close(${fd})`,
  ]);
});

Deno.test("recv() with MSG_TRUNC returns the real length of a message", async () => {
  using pair = await connectedPair("seqpacket");
  await pair.client.send(bytes(32));
  assert.equal(await pair.server.recv(bytes(8), MSG_TRUNC), 32);
});

Deno.test("recv() with MSG_DONTWAIT fails with EAGAIN where there is nothing", async () => {
  using pair = await connectedPair("stream");
  await assert.rejects(pair.server.recv(bytes(1), MSG_DONTWAIT), { code: "EAGAIN" });
});

Deno.test("sendmsg() gathers and recvmsg() scatters over several vectors", async () => {
  using pair = await connectedPair("seqpacket");
  assert.equal(await pair.client.sendmsg([text("abc"), text("defg")]), 7);
  const into = [bytes(2), bytes(10)] as const;
  const received = await pair.server.recvmsg(into);
  assert.deepEqual(received, { length: 7, flags: 0, control: [] });
  assert.deepEqual(into[0], text("ab"));
  assert.deepEqual(into[1].slice(0, 5), text("cdefg"));
});

Deno.test("recvmsg() tells by MSG_TRUNC that a message did not fit", async () => {
  using pair = await connectedPair("seqpacket");
  await pair.client.send(bytes(32));
  assert.deepEqual(await pair.server.recvmsg([bytes(8)]), { length: 8, flags: 0x20, control: [] });
});

Deno.test("sendmsg() and recvmsg() carry a descriptor in SCM_RIGHTS", async () => {
  using pair = await connectedPair("stream");
  using carried = await connectedPair("stream");
  const rights = { level: SOL_SOCKET, type: SCM_RIGHTS, data: int(carried.client.fd) };
  await pair.client.sendmsg([text("x")], 0, encodeControlMessages([rights]));
  const { control } = await pair.server.recvmsg([bytes(1)], 0, bytes(64));
  assert.equal(control.length, 1);
  const [message] = control;
  assert.deepEqual([message?.level, message?.type], [SOL_SOCKET, SCM_RIGHTS]);
  const fd = new Int32Array(message?.data.buffer ?? new ArrayBuffer(4))[0] ?? -1;
  assert.notEqual(fd, carried.client.fd, "a new descriptor of the same socket");
  assert.equal(call("send", fd, text("through it"), 10, 0), 10);
  assert.equal(call("close", fd), 0);
  assert.equal(await carried.server.recv(bytes(16)), 10);
});

Deno.test("recvmsg() receives SCM_CREDENTIALS where SO_PASSCRED asks for them", async () => {
  using pair = await connectedPair("seqpacket");
  pair.server.setInt(SOL_SOCKET, SO_PASSCRED, 1);
  await pair.client.send(text("who"));
  const { control } = await pair.server.recvmsg([bytes(8)], 0, bytes(64));
  assert.deepEqual(control.map(({ type }) => type), [SCM_CREDENTIALS]);
  const [pid, uid, gid] = new Int32Array(control[0]?.data.buffer ?? new ArrayBuffer(0));
  assert.deepEqual([pid, uid, gid], [Deno.pid, Deno.uid(), Deno.gid()]);
});

Deno.test("recvmsg() tells by MSG_CTRUNC that control data did not fit", async () => {
  const MSG_CTRUNC = 0x08;
  using pair = await connectedPair("seqpacket");
  pair.server.setInt(SOL_SOCKET, SO_PASSCRED, 1);
  await pair.client.send(text("who"));
  const { flags } = await pair.server.recvmsg([bytes(8)], 0, bytes(8));
  assert.equal(flags & MSG_CTRUNC, MSG_CTRUNC);
});

Deno.test("setsockopt() and getsockopt() keep ints, times and lingering", async () => {
  using pair = await connectedPair("stream");
  const { client } = pair;
  client.setInt(SOL_SOCKET, SO_PASSCRED, 1);
  assert.equal(client.getInt(SOL_SOCKET, SO_PASSCRED), 1);
  assert.equal(client.getInt(SOL_SOCKET, SO_ERROR), 0);
  client.setTimeval(SOL_SOCKET, SO_RCVTIMEO, 1500);
  assert.deepEqual(client.getsockopt(SOL_SOCKET, SO_RCVTIMEO, 16), timeval(1500));
  client.setLinger(SOL_SOCKET, SO_LINGER, 3);
  assert.deepEqual([...new Int32Array(client.getsockopt(SOL_SOCKET, SO_LINGER, 8).buffer)], [1, 3]);
  client.setLinger(SOL_SOCKET, SO_LINGER, undefined);
  assert.equal(client.getsockopt(SOL_SOCKET, SO_LINGER, 8)[0], 0);
});

Deno.test("getsockopt() returns the bytes that the kernel stored, not the room given", async () => {
  using pair = await connectedPair("stream");
  assert.equal(pair.client.getsockopt(SOL_SOCKET, SO_ERROR, 64).length, 4);
  assert.throws(() => pair.client.getsockopt(SOL_SOCKET, 9999, 4), {
    code: "ENOPROTOOPT",
    call: `getsockopt(${pair.client.fd}, 1, 9999)`,
  });
});

Deno.test("setU64() and getU64() pass eight bytes", async () => {
  const SO_MAX_PACING_RATE = 47;
  using pair = await connectedPair("stream");
  pair.client.setU64(SOL_SOCKET, SO_MAX_PACING_RATE, 0x1_2345_6789n);
  assert.equal(pair.client.getU64(SOL_SOCKET, SO_MAX_PACING_RATE), 0x1_2345_6789n);
  assert.throws(() => pair.client.setU64(AF_VSOCK, 0, 1n), { name: "SysError" });
});

Deno.test("ioctlInt() reads what is queued and what is not yet read by the peer", async () => {
  using pair = await connectedPair("stream");
  await pair.client.send(bytes(100));
  assert.equal(pair.server.ioctlInt(SIOCINQ), 100);
  assert.ok(pair.client.ioctlInt(SIOCOUTQ) >= 100);
  assert.throws(() => pair.client.ioctlInt(0x12345), { code: "ENOTTY" });
});

Deno.test("poll() returns the events that there are, and 0 when the time ran out", async () => {
  using pair = await connectedPair("stream");
  const started = performance.now();
  assert.equal(await pair.server.poll(POLLIN, 50), 0);
  assert.ok(performance.now() - started >= 49);
  const waiting = pair.server.poll(POLLIN | POLLOUT);
  assert.equal(await waiting & POLLOUT, POLLOUT);
  const forData = pair.server.poll();
  await pair.client.send(bytes(1));
  assert.equal(await forData, POLLIN);
  await pair.client.close();
  assert.equal(await pair.server.poll(POLLRDHUP), POLLRDHUP | POLLHUP);
});

Deno.test("close() returns how long it took, and a closed socket fails with EBADF", async () => {
  using pair = await connectedPair("stream");
  const { result, nanoseconds } = await pair.client.close();
  assert.equal(result, 0);
  assert.ok(nanoseconds > 0n);
  assert.equal(pair.client.fd, -1);
  await assert.rejects(pair.client.send(bytes(1)), { code: "EBADF", call: "send(-1, 1, 0)" });
  await assert.rejects(pair.client.close(), { code: "EBADF" });
});

Deno.test("a disposed socket is closed once, and its peer reads the end", async () => {
  using pair = await connectedPair("stream");
  pair.client[Symbol.dispose]();
  assert.equal(await pair.server.recv(bytes(1)), 0);
  // Another socket may have the number by now; disposing again must leave it alone.
  using another = Socket.open(freshFamily(), "stream");
  pair.client[Symbol.dispose]();
  assert.throws(() => another.getpeername(), { code: "ENOTCONN" });
});
