/**
 * Half-close: each direction of a connection ends by itself.
 *
 * @module
 */
import {
  bytes,
  type CaseContext,
  type ConformanceCase,
  connecting,
  defineCase,
  errorOf,
  forBothTypes,
  kernel,
  man,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  POLLIN,
  POLLRDHUP,
  readToEnd,
  type Role,
  seesEvents,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_ERROR,
  type Socket,
  type SocketType,
  SOL_SOCKET,
  spec,
  WINDOW,
} from "../../kit/mod.ts";

const STREAM_SOCKETS = spec("5.10.6.5 Stream Sockets");
const REQUEST = 100_000;
/** More than a window: the answer must go on as it is read. */
const ANSWER = 3 * 120_000;
/** What one send() of the answer takes, so that a message of it fits into a window. */
const PIECE = 120_000;

/** Asks, ends its own direction, and then still receives the whole answer. */
async function ask(context: CaseContext, socket: Socket) {
  const { check, random, peer } = context;
  const [request, answer] = [random.bytes(REQUEST), random.bytes(ANSWER)];
  await check.sends(socket, request);
  await check.succeeds("shutdown(SHUT_WR)", () => socket.shutdown(SHUT_WR));
  const send = () => socket.send(bytes(1), MSG_NOSIGNAL);
  await check.fails("EPIPE", "send() after shutdown(SHUT_WR)", send);
  const data = await readToEnd(context, socket, ANSWER);
  check.sameBytes(data, answer, "the answer, behind one's own shutdown(SHUT_WR)");
  check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 0, "SO_ERROR at the end");
  await check.fails("EPIPE", "send() at the end", send);
  await peer.writeln("DONE");
  await peer.expectln("DONE");
}

/** Receives the question until its end, and then answers. */
async function answer(context: CaseContext, socket: Socket) {
  const { check, random, peer } = context;
  const [request, answer] = [random.bytes(REQUEST), random.bytes(ANSWER)];
  const data = await readToEnd(context, socket, REQUEST);
  check.sameBytes(data, request, "the request");
  await check.receivesEnd(socket);
  for (let at = 0; at < ANSWER; at += PIECE) {
    await check.sends(socket, answer.subarray(at, at + PIECE));
  }
  await check.succeeds("shutdown(SHUT_WR)", () => socket.shutdown(SHUT_WR));
  check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 0, "SO_ERROR at the end");
  await peer.writeln("DONE");
  await peer.expectln("DONE");
}

const ASKS = `sends 100000 bytes, calls shutdown(SHUT_WR), and checks that send() is EPIPE and ` +
  "that the whole answer comes, then the end";
const ANSWERS = "receives the request to its end, sends 360000 bytes, and calls shutdown(SHUT_WR)";

function requestCase(type: SocketType, asker: Role) {
  const isClient = asker === "client";
  return defineCase({
    id: `half-close/request/${type}-from-${asker}`,
    title: `the answer still comes behind the end of the request, from the ${asker}`,
    requirement:
      "shutdown(SHUT_WR) MUST end one direction alone: the other goes on until it is ended, too",
    refs: [man("shutdown", 2, "DESCRIPTION"), STREAM_SOCKETS, kernel("vsock_shutdown")],
    needs: connecting(type),
    does: {
      client: `connects a ${type} socket, ${isClient ? ASKS : ANSWERS}`,
      server: `accepts, ${isClient ? ANSWERS : ASKS}`,
    },
    async client(context) {
      using socket = await context.vsock.connect(type);
      await (isClient ? ask : answer)(context, socket);
    },
    async server(context) {
      using socket = await context.vsock.accept(type);
      await (isClient ? answer : ask)(context, socket);
    },
  });
}

/** A side that reads no more. */
const readSide = forBothTypes((type) =>
  defineCase({
    id: `half-close/read-side/${type}-ends-at-once`,
    title: "shutdown(SHUT_RD) ends reading at once, and the other direction goes on",
    requirement:
      "after shutdown(SHUT_RD) recv() MUST be 0, the peer's send() EPIPE, and one's own send() work",
    refs: [
      man("shutdown", 2, "DESCRIPTION"),
      STREAM_SOCKETS,
      kernel("vsock_shutdown"),
      kernel("virtio_transport_shutdown"),
    ],
    needs: connecting(type),
    does: {
      client:
        `connects a ${type} socket, sends 1000 bytes, and when the server has shut down checks ` +
        "that send() becomes EPIPE and that what the server sends still comes",
      server: "accepts, calls shutdown(SHUT_RD) with 1000 bytes unread, checks that recv() is 0 " +
        "twice, and sends 1000 bytes",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect(type);
      await check.sends(socket, bytes(1000));
      await peer.writeln("SENT");
      await peer.expectln("SHUT");
      // Until the news has arrived a send() may succeed.
      const sendOn = async () => {
        const deadline = performance.now() + check.patience;
        for (;;) {
          const count = await socket.send(bytes(1), MSG_NOSIGNAL);
          if (performance.now() > deadline) return count;
        }
      };
      await check.fails("EPIPE", "send() after the peer's shutdown(SHUT_RD)", sendOn);
      const data = await check.receives(socket, 1000);
      check.sameBytes(data, random.bytes(1000), "what came the other way");
      await peer.writeln("DONE");
    },
    async server({ vsock, peer, check, random }) {
      using socket = await vsock.accept(type);
      await peer.expectln("SENT");
      await check.succeeds("poll(POLLIN)", () => socket.poll(POLLIN, check.patience));
      await check.succeeds("shutdown(SHUT_RD)", () => socket.shutdown(SHUT_RD));
      await check.receivesEnd(socket);
      await check.receivesEnd(socket);
      await peer.writeln("SHUT");
      await check.sends(socket, random.bytes(1000));
      await peer.expectln("DONE");
    },
  })
);

/** How service managers and proxies end a connection: SHUT_WR, then read to the end. */
function afterPeersEnd(type: SocketType, unread: boolean) {
  const data = unread ? "with 1000 bytes unread" : "with nothing unread";
  return defineCase({
    id: `half-close/after-peers-close/${type}-${unread ? "unread" : "all-read"}`,
    title: `the end can still be read behind one's own shutdown(SHUT_WR), ${data}`,
    requirement:
      "recv() after the peer's close() MUST give what is unread, then 0, whatever is shut down here",
    refs: [
      man("recv", 2, "RETURN VALUE"),
      kernel("vsock_shutdown"),
      kernel("__vsock_connectible_recvmsg"),
    ],
    needs: connecting(type),
    does: {
      client: `connects a ${type} socket, ${unread ? "sends 1000 bytes, " : ""}and closes`,
      server:
        `accepts, waits for the end ${data}, calls shutdown(SHUT_WR), and checks that recv() ` +
        `gives ${unread ? "the data, then " : ""}0, twice`,
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect(type);
      if (unread) await check.sends(socket, bytes(1000));
      await socket.close();
      await peer.expectln("DONE");
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept(type);
      await vsock.waitRemoteClose(socket);
      await check.succeeds("shutdown(SHUT_WR)", () => socket.shutdown(SHUT_WR));
      if (unread) await check.receives(socket, 1000);
      await check.receivesEnd(socket);
      await check.receivesEnd(socket);
      await peer.writeln("DONE");
    },
  });
}

const LARGE = 1024 * 1024;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) => requestCase(type, "client")),
  ...forBothTypes((type) => requestCase(type, "server")),
  ...readSide,
  ...forBothTypes((type) => afterPeersEnd(type, false)),
  ...forBothTypes((type) => afterPeersEnd(type, true)),
  defineCase({
    id: "half-close/large-send/ended-at-once",
    title: "a send beyond the window that is ended at once arrives whole",
    requirement: "shutdown(SHUT_WR) and close() MUST NOT lose what send() has taken before",
    refs: [man("shutdown", 2, "DESCRIPTION"), STREAM_SOCKETS, kernel("virtio_transport_shutdown")],
    does: {
      client:
        "connects, checks that one send() takes 1 MiB, calls shutdown(SHUT_WR) at once, and " +
        "closes when the server has",
      server: "accepts, checks that exactly those bytes come, then the end, with SO_ERROR 0",
    },
    async client({ vsock, check, random }) {
      using socket = await vsock.connect("stream");
      const send = () => socket.send(random.bytes(LARGE));
      check.equal(await check.succeeds("send(1 MiB)", send), LARGE, "what one send() took");
      await check.succeeds("shutdown(SHUT_WR)", () => socket.shutdown(SHUT_WR));
      await check.receivesEnd(socket);
      await socket.close();
    },
    async server(context) {
      const { vsock, check, random } = context;
      using socket = await vsock.accept("stream");
      const data = await readToEnd(context, socket, LARGE);
      check.sameBytes(data, random.bytes(LARGE), "what was received");
      check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 0, "SO_ERROR at the end");
    },
  }),
  defineCase({
    id: "half-close/shutdown/adds-up",
    title: "directions that are shut down stay so, and add up",
    requirement: "shutdown() MUST be permanent: SHUT_WR, then SHUT_RD is the same as SHUT_RDWR",
    refs: [
      man("shutdown", 2, "ERRORS"),
      STREAM_SOCKETS,
      kernel("vsock_shutdown"),
      kernel("virtio_transport_shutdown"),
    ],
    needs: ["known-place"],
    does: {
      client:
        "connects, checks that shutdown() of 3 and -1 are EINVAL and that of an unconnected " +
        "socket ENOTCONN, calls SHUT_WR twice, then SHUT_RD, and checks that recv() is 0 and send() EPIPE",
      server:
        "accepts, checks that the end comes with SHUT_WR, and that send() becomes EPIPE with " +
        "SHUT_RD",
    },
    async client({ vsock, peer, check }) {
      using fresh = vsock.open("stream");
      check.equal(errorOf(() => fresh.shutdown(SHUT_WR)), "ENOTCONN", "shutdown() unconnected");
      using socket = await vsock.connect("stream");
      for (const how of [3, -1]) {
        check.equal(errorOf(() => socket.shutdown(how)), "EINVAL", `shutdown(${how})`);
      }
      for (let i = 0; i < 2; i++) {
        await check.succeeds("shutdown(SHUT_WR)", () => socket.shutdown(SHUT_WR));
      }
      await peer.expectln("END");
      await check.receivesByte(socket);
      await check.succeeds("shutdown(SHUT_RD)", () => socket.shutdown(SHUT_RD));
      await check.receivesEnd(socket);
      const send = () => socket.send(bytes(1), MSG_NOSIGNAL);
      await check.fails("EPIPE", "send() after both", send);
      await peer.writeln("SHUT");
      await peer.expectln("DONE");
    },
    async server(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.accept("stream");
      await check.receivesEnd(socket);
      await check.sendsByte(socket);
      await peer.writeln("END");
      await peer.expectln("SHUT");
      const sendOn = async () => {
        const deadline = performance.now() + check.patience;
        for (let count = 1;;) {
          if (performance.now() > deadline) return count;
          count = await socket.send(bytes(1), MSG_NOSIGNAL | MSG_DONTWAIT);
        }
      };
      await check.fails("EPIPE", "send() after the peer's SHUT_RD", sendOn);
      await peer.writeln("DONE");
    },
  }),
  ...forBothTypes((type) =>
    defineCase({
      id: `half-close/both-directions/${type}-keeps-what-was-sent`,
      title: "what was sent before shutdown(SHUT_RDWR) is still received",
      requirement: "shutdown(SHUT_RDWR) MUST NOT lose what was sent before it",
      refs: [STREAM_SOCKETS, kernel("virtio_transport_shutdown")],
      needs: connecting(type, "known-place"),
      does: {
        client:
          `connects a ${type} socket, sends 212144 bytes, calls shutdown(SHUT_RDWR), and keeps ` +
          "the socket",
        server:
          "accepts, waits for the end, and checks that all bytes come, then 0, that send() is " +
          "EPIPE, and that poll() sees IN and RDHUP until then",
      },
      async client({ vsock, peer, check, random }) {
        using socket = await vsock.connect(type);
        await check.sends(socket, random.bytes(WINDOW - 50_000));
        await check.succeeds("shutdown(SHUT_RDWR)", () => socket.shutdown(SHUT_RDWR));
        await peer.expectln("DONE");
      },
      async server(context) {
        const { vsock, peer, check, random } = context;
        using socket = await vsock.accept(type);
        const asked = POLLIN | POLLRDHUP;
        await seesEvents(context, socket, asked, asked, "after the peer's end");
        const send = () => socket.send(bytes(1), MSG_NOSIGNAL);
        await check.fails("EPIPE", "send() after the peer's end", send);
        const data = await readToEnd(context, socket, WINDOW - 50_000);
        check.sameBytes(data, random.bytes(WINDOW - 50_000), "what was received");
        await check.receivesEnd(socket);
        await peer.writeln("DONE");
      },
    })
  ),
];
