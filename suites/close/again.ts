/**
 * Connections one after the other: the same pair of addresses again, and many short ones.
 *
 * @module
 */
import {
  type Address,
  bytes,
  type CaseContext,
  type ConformanceCase,
  connecting,
  defineCase,
  errorOf,
  forBothTypes,
  kernel,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  type Role,
  type Socket,
  type SocketType,
  spec,
  SysError,
  until,
  VMADDR_CID_ANY,
  VMADDR_PORT_ANY,
  WINDOW,
} from "../../kit/mod.ts";

const TIMES = 20;
const REFS = [spec("5.10.6.5 Stream Sockets"), kernel("vsock_remove_sock")];

/** A new connection from the same address: from a port of the kernel's choice at first. */
async function connectFrom(
  { vsock, check }: CaseContext,
  type: SocketType,
  from: Address | undefined,
): Promise<{ socket: Socket; from: Address }> {
  const socket = vsock.open(type);
  const address = from ?? { cid: VMADDR_CID_ANY, port: VMADDR_PORT_ANY };
  // The port is free when the peer's answer to close() has come, which nothing tells.
  const isBound = () => errorOf(() => socket.bind(address)) !== "EADDRINUSE";
  await until(isBound, { timeout: check.patience, pause: 1 });
  await check.succeeds("connect()", () => socket.connect(vsock.peerAddress()));
  return { socket, from: from ?? { ...socket.getsockname(), cid: VMADDR_CID_ANY } };
}

/** Exchanges a message that no other connection has. */
async function exchange({ check }: CaseContext, socket: Socket, i: number) {
  const own = bytes(50).fill(i);
  await check.sends(socket, own);
  check.sameBytes(await check.receives(socket, 50), own, `what came over connection ${i}`);
}

/** Closes a socket, at once or when the other side has. */
async function end({ check }: CaseContext, socket: Socket, isFirst: boolean) {
  if (!isFirst) await check.receivesEnd(socket);
  await check.succeeds("close()", () => socket.close());
}

/** Connects from one address time after time. */
async function connectsAgain(context: CaseContext, type: SocketType, first: Role) {
  const { vsock, check } = context;
  using beside = await vsock.connect(type);
  let from: Address | undefined;
  for (let i = 0; i < TIMES; i++) {
    const connected = await connectFrom(context, type, from);
    using socket = connected.socket;
    from = connected.from;
    await exchange(context, socket, i);
    await end(context, socket, first === "client");
    await check.receivesByte(beside);
  }
}

/** Accepts those connections. */
async function acceptsAgain(context: CaseContext, type: SocketType, first: Role) {
  const { vsock, peer, check } = context;
  using listener = vsock.listening(type);
  await peer.writeln("LISTENING");
  const { socket: other } = await listener.accept();
  // What is told beside the connections comes behind the reset that close() may have sent. That
  // would end the next connection of these addresses otherwise, where it comes late.
  using beside = other;
  for (let i = 0; i < TIMES; i++) {
    const { socket: accepted } = await check.succeeds("accept()", () => listener.accept());
    using socket = accepted;
    await exchange(context, socket, i);
    await end(context, socket, first === "server");
    await check.sendsByte(beside);
  }
}

function sameTuple(type: SocketType, first: Role) {
  const closes = (role: Role) => first === role ? "closes" : "closes when the other has";
  return defineCase({
    id: `close/same-addresses/${type}-${first}-closes-first`,
    title: `the same pair of addresses connects ${TIMES} times, the ${first} closing first`,
    requirement: "a pair of addresses MUST be free again when both sides have closed and said so",
    refs: REFS,
    needs: connecting(type),
    does: {
      client:
        `connects a ${type} socket from the same port ${TIMES} times, exchanges 50 bytes that ` +
        `differ each time, and ${closes("client")}`,
      server:
        `accepts ${TIMES} times, exchanges the bytes, checks that they are of this connection, ` +
        `${closes("server")}, and says so over a connection beside it`,
    },
    client: (context) => connectsAgain(context, type, first),
    server: (context) => acceptsAgain(context, type, first),
  });
}

/** The server still has the old socket when the client connects again from the same port. */
const stillOpen = forBothTypes((type) =>
  defineCase({
    id: `close/same-addresses/${type}-old-one-open`,
    title: "a port connects again while the peer still holds its old connection",
    requirement:
      "a new connection of a pair of addresses MUST NOT mix with an old one that the peer still holds",
    refs: REFS,
    needs: connecting(type, "known-place"),
    does: {
      client:
        `connects a ${type} socket, sends 10 bytes, closes, and connects from the same port ` +
        "again when the server has seen the end",
      server:
        "accepts both, and checks that the old one gives its 10 bytes, then 0, before and after " +
        "50 bytes were exchanged over the new one",
    },
    async client(context) {
      const { peer, check } = context;
      await peer.expectln("LISTENING");
      const connected = await connectFrom(context, type, undefined);
      using old = connected.socket;
      await check.sends(old, bytes(10));
      await old.close();
      await peer.expectln("SEEN");
      const again = await connectFrom(context, type, connected.from);
      using socket = again.socket;
      await exchange(context, socket, 1);
      await peer.expectln("DONE");
    },
    async server(context) {
      const { vsock, peer, check } = context;
      using listener = vsock.listening(type);
      await peer.writeln("LISTENING");
      const { socket: accepted } = await listener.accept();
      using old = accepted;
      await check.receives(old, 10);
      await vsock.waitRemoteClose(old);
      await peer.writeln("SEEN");
      const { socket: second } = await check.succeeds("accept()", () => listener.accept());
      using socket = second;
      await check.receivesEnd(old);
      await exchange(context, socket, 1);
      await check.receivesEnd(old);
      await peer.writeln("DONE");
    },
  })
);

const SHORT = 250;

/** Whether a first send() takes all at once, or the peer has closed already. */
async function takesOrEnds(socket: Socket): Promise<boolean> {
  try {
    return await socket.send(bytes(1000), MSG_DONTWAIT | MSG_NOSIGNAL) === 1000;
  } catch (error) {
    return error instanceof SysError && error.code === "EPIPE";
  }
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) => sameTuple(type, "client")),
  ...forBothTypes((type) => sameTuple(type, "server")),
  ...stillOpen,
  defineCase({
    id: "close/short-connections/use-up-nothing",
    title: "hundreds of connections that nobody reads use up nothing",
    requirement:
      "closed connections MUST give back what they held: credit, ports and places in the queue",
    refs: [kernel("__vsock_release"), kernel("vsock_remove_sock")],
    timeFactor: 2,
    does: {
      client:
        `connects ${SHORT} times, checks that a first send() takes 1000 bytes at once (or is EPIPE), ` +
        "closes, then sends 1 MiB over a last connection",
      server:
        `accepts ${SHORT} times and closes without reading, then checks that the 1 MiB come ` +
        "whole",
    },
    async client({ vsock, peer, check, random }) {
      await peer.expectln("LISTENING");
      for (let i = 0; i < SHORT; i++) {
        using socket = vsock.open("stream");
        const connect = () => socket.connect(vsock.peerAddress());
        await check.succeeds(`connect() ${i}`, connect);
        check.that(await takesOrEnds(socket), `send() ${i} took less than 1000 bytes`);
      }
      using last = vsock.open("stream");
      await check.succeeds("the last connect()", () => last.connect(vsock.peerAddress()));
      await check.sends(last, random.bytes(4 * WINDOW));
      await peer.expectln("DONE");
    },
    async server({ vsock, peer, check, random }) {
      using listener = vsock.listening("stream", SHORT + 1);
      await peer.writeln("LISTENING");
      for (let i = 0; i < SHORT; i++) {
        const { socket } = await check.succeeds(`accept() ${i}`, () => listener.accept());
        socket[Symbol.dispose]();
      }
      const { socket: last } = await check.succeeds("the last accept()", () => listener.accept());
      using socket = last;
      const data = await check.receives(socket, 4 * WINDOW);
      check.sameBytes(data, random.bytes(4 * WINDOW), "what came over the last connection");
      await peer.writeln("DONE");
    },
  }),
];
