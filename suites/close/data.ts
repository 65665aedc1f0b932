/**
 * What was sent before close() is still there for a reader that comes later.
 *
 * @module
 */
import {
  bytes,
  type CaseContext,
  type ConformanceCase,
  connecting,
  defineCase,
  forBothTypes,
  Holder,
  kernel,
  man,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  POLLIN,
  POLLRDHUP,
  readToEnd,
  type Role,
  SO_ERROR,
  SO_LINGER,
  type Socket,
  type SocketType,
  SOL_SOCKET,
  spec,
  timedSleep,
} from "../../kit/mod.ts";

const STREAM_SOCKETS = spec("5.10.6.5 Stream Sockets");
const LENGTH = 200_000;
const RECV = kernel("virtio_transport_recv_pkt");

/** Reads late, and all of it. */
async function readLate(context: CaseContext, socket: Socket, milliseconds: number) {
  const { check, random } = context;
  await timedSleep(milliseconds);
  const data = await readToEnd(context, socket, LENGTH);
  check.sameBytes(data, random.bytes(LENGTH), "what was sent before the end");
  await check.receivesEnd(socket);
  check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 0, "SO_ERROR at the end");
  const send = () => socket.send(bytes(1), MSG_NOSIGNAL);
  await check.fails("EPIPE", "send() to a peer that has closed", send);
}

async function sendAndClose({ check, random }: CaseContext, socket: Socket) {
  await check.sends(socket, random.bytes(LENGTH));
  await check.succeeds("close()", () => socket.close());
}

/** @param seconds the kernel waits 8 s for an answer to its shutdown, then resets. */
function survives(type: SocketType, seconds: 1 | 9, closer: Role) {
  const isClient = closer === "client";
  const [sends, reads] = [
    "sends 200000 bytes and closes",
    `waits ${seconds} s, and checks that all bytes come, then 0, SO_ERROR 0 and EPIPE`,
  ];
  return defineCase({
    id: `close/data-survives/${type}-${seconds}-s-from-${closer}`,
    title: `a reader that starts ${seconds} s after close() reads all, sent by the ${closer}`,
    requirement: "what was sent before close() MUST reach the peer, however late it reads",
    refs: [
      man("close", 2, "NOTES"),
      STREAM_SOCKETS,
      seconds === 9 ? kernel("virtio_transport_close_timeout") : RECV,
    ],
    needs: connecting(type),
    ...seconds === 9 ? { slow: true as const } : {},
    does: {
      client: `connects a ${type} socket, ${isClient ? sends : reads}`,
      server: `accepts, ${isClient ? reads : sends}`,
    },
    async client(context) {
      using socket = await context.vsock.connect(type);
      if (!isClient) return await readLate(context, socket, 1000 * seconds);
      await sendAndClose(context, socket);
    },
    async server(context) {
      using socket = await context.vsock.accept(type);
      if (isClient) return await readLate(context, socket, 1000 * seconds);
      await sendAndClose(context, socket);
    },
  });
}

const killed = forBothTypes((type) =>
  defineCase({
    id: `close/killed/${type}-keeps-data`,
    title: "what a process has sent outlives it, SIGKILL or not",
    requirement:
      "what was sent MUST reach the peer, then the end, if the sender's process is killed",
    refs: [STREAM_SOCKETS, kernel("__vsock_release"), RECV],
    needs: connecting(type),
    does: {
      client:
        `connects a ${type} socket, sends 200000 bytes, leaves the socket to a process alone, ` +
        "and kills that when the server says so",
      server:
        "accepts, checks that recv() finds no end while the process lives, and all bytes, then " +
        "0, 200 ms after its death",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect(type);
      await check.sends(socket, random.bytes(LENGTH));
      await using holder = new Holder(socket);
      await socket.close();
      await peer.writeln("LEFT");
      await peer.expectln("KILL");
      await holder.kill();
      await peer.writeln("KILLED");
      await peer.expectln("DONE");
    },
    async server(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.accept(type);
      await peer.expectln("LEFT");
      check.equal(await socket.poll(POLLRDHUP, 50), 0, "POLLRDHUP while the process lives");
      await peer.writeln("KILL");
      await peer.expectln("KILLED");
      await readLate(context, socket, 200);
      await peer.writeln("DONE");
    },
  })
);

/** close() with unread input resets nothing, unlike TCP's. */
function unread(type: SocketType, linger: boolean) {
  return defineCase({
    id: `close/unread-input/${type}-${linger ? "linger-0" : "plain"}`,
    title: `close() with unread input${linger ? " and SO_LINGER of 0 s" : ""} resets nothing`,
    requirement:
      "close() with unread input MUST NOT lose what was sent before it, nor give the peer an error",
    refs: [STREAM_SOCKETS, kernel("virtio_transport_release")],
    needs: connecting(type, "known-place"),
    does: {
      client:
        `connects a ${type} socket, sends 1000 bytes that nobody reads, and when the server ` +
        "has closed checks that its 500 bytes come, then 0, with SO_ERROR 0",
      server:
        `accepts, sends 500 bytes${linger ? ", sets SO_LINGER to 0 s" : ""} and closes with ` +
        "1000 bytes unread",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect(type);
      await check.sends(socket, bytes(1000));
      await peer.writeln("SENT");
      await peer.expectln("CLOSED");
      await vsock.waitRemoteClose(socket);
      const data = await check.receives(socket, 500);
      check.sameBytes(data, random.bytes(500), "what the server sent before close()");
      await check.receivesEnd(socket);
      check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 0, "SO_ERROR at the end");
    },
    async server({ vsock, peer, check, random }) {
      using socket = await vsock.accept(type);
      await peer.expectln("SENT");
      await check.succeeds("poll(POLLIN)", () => socket.poll(POLLIN, check.patience));
      await check.sends(socket, random.bytes(500));
      if (linger) socket.setLinger(SOL_SOCKET, SO_LINGER, 0);
      await check.succeeds("close()", () => socket.close());
      await peer.writeln("CLOSED");
    },
  });
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) => survives(type, 1, "client")),
  survives("stream", 1, "server"),
  ...forBothTypes((type) => survives(type, 9, "client")),
  ...killed,
  ...forBothTypes((type) => unread(type, false)),
  unread("stream", true),
  ...forBothTypes((type) =>
    defineCase({
      id: `close/dup/${type}-ends-with-the-last`,
      title: "a connection ends with the last descriptor of its socket",
      requirement: "close() of one of two descriptors MUST leave the connection as it is",
      refs: [man("close", 2, "DESCRIPTION"), kernel("__vsock_release")],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket, copies its descriptor, closes the first, sends 100 bytes ` +
          "through the other and closes that when the server has answered",
        server:
          "accepts, checks that the bytes come and no end, answers, and checks that the end " +
          "comes then",
      },
      async client({ vsock, peer, check }) {
        using socket = await vsock.connect(type);
        using other = socket.dup();
        await check.succeeds("close()", () => socket.close());
        await check.sends(other, bytes(100));
        await peer.writeln("SENT");
        await check.receives(other, 100);
        await check.succeeds("close() of the last", () => other.close());
        await peer.expectln("DONE");
      },
      async server({ vsock, peer, check }) {
        using socket = await vsock.accept(type);
        await peer.expectln("SENT");
        await check.receives(socket, 100);
        await check.fails("EAGAIN", "recv() before the last close()", () =>
          socket.recv(bytes(1), MSG_DONTWAIT));
        await check.sends(socket, bytes(100));
        await check.receivesEnd(socket);
        await peer.writeln("DONE");
      },
    })
  ),
];
