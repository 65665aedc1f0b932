/**
 * Threads that wait in recv() or send(), and what ends their waiting.
 *
 * @module
 */
import {
  Blocked,
  bytes,
  type CaseContext,
  type ConformanceCase,
  connecting,
  defineCase,
  failsAfter,
  fillWindow,
  forBothTypes,
  kernel,
  man,
  MSG_NOSIGNAL,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  readToEnd,
  seesEvents,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_ERROR,
  SO_SNDTIMEO,
  type Socket,
  type SocketType,
  SOL_SOCKET,
  spec,
  WINDOW,
} from "../../kit/mod.ts";

const PIECE = 32 * 1024;
const RECV = kernel("vsock_connectible_wait_data");
const SEND = kernel("vsock_connectible_sendmsg");

/** Keeps a connection until the other side is done with it. */
async function keep({ vsock, peer }: CaseContext, type: SocketType) {
  using _socket = await vsock.accept(type);
  await peer.expectln("DONE");
}

/** A recv() that sleeps. */
async function waitingRecv({ check }: CaseContext, socket: Socket): Promise<Blocked<number>> {
  const blocked = new Blocked(() => socket.recv(bytes(100)));
  check.that(await blocked.sleeps(), "recv() of an empty socket does not wait");
  return blocked;
}

/** A send() that sleeps, since the window is full. */
async function waitingSend(context: CaseContext, socket: Socket): Promise<Blocked<number>> {
  const { check } = context;
  check.equal(await fillWindow(context, socket, PIECE), WINDOW, "what fits into the window");
  const blocked = new Blocked(() => socket.send(bytes(PIECE), MSG_NOSIGNAL));
  check.that(await blocked.sleeps(), "send() into a full window does not wait");
  return blocked;
}

/** What this side does itself, on another thread. */
const OWN = [
  ["recv", "shut-rd", SHUT_RD, "SHUT_RD"],
  ["recv", "shut-rdwr", SHUT_RDWR, "SHUT_RDWR"],
  ["send", "shut-wr", SHUT_WR, "SHUT_WR"],
  ["send", "shut-rdwr", SHUT_RDWR, "SHUT_RDWR"],
] as const;

function ownShutdown(type: SocketType, [call, claim, how, name]: typeof OWN[number]) {
  const isRecv = call === "recv";
  const outcome = isRecv ? "returns 0" : "fails with EPIPE";
  return defineCase({
    id: `events/own-shutdown/${type}-${call}-${claim}`,
    title: `${call}() that waits ${outcome} when another thread calls shutdown(${name})`,
    requirement: `shutdown(${name}) MUST wake a thread that waits in ${call}() of the same socket`,
    refs: [man("shutdown", 2, "DESCRIPTION"), kernel("vsock_shutdown"), isRecv ? RECV : SEND],
    needs: connecting(type, "known-place"),
    does: {
      client:
        `connects a ${type} socket, waits in ${call}() on one thread, calls shutdown(${name}) ` +
        `on another, and checks that ${call}() then ${outcome}`,
      server: "accepts, and keeps the connection without reading",
    },
    async client(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.connect(type);
      const wait = isRecv ? waitingRecv : waitingSend;
      const blocked = await wait(context, socket);
      await check.succeeds(`shutdown(${name})`, () => socket.shutdown(how));
      const what = `${call}() that waited`;
      if (isRecv) check.equal(await check.succeeds(what, () => blocked.result), 0, what);
      else await check.fails("EPIPE", what, () => blocked.result);
      await peer.writeln("DONE");
    },
    server: (context) => keep(context, type),
  });
}

/** What the peer does meanwhile. */
const PEERS: readonly {
  readonly call: "recv" | "send";
  readonly claim: string;
  readonly does: string;
  readonly act: (socket: Socket) => void;
}[] = [
  { ...{ call: "recv", claim: "shut-wr", does: "calls shutdown(SHUT_WR)" }, act: shut(SHUT_WR) },
  {
    ...{ call: "recv", claim: "close", does: "closes" },
    act: (socket) => socket[Symbol.dispose](),
  },
  { ...{ call: "send", claim: "shut-rd", does: "calls shutdown(SHUT_RD)" }, act: shut(SHUT_RD) },
  {
    ...{ call: "send", claim: "close", does: "closes" },
    act: (socket) => socket[Symbol.dispose](),
  },
];

function shut(how: number): (socket: Socket) => void {
  return (socket) => socket.shutdown(how);
}

function peersEnd(type: SocketType, { call, claim, does, act }: typeof PEERS[number]) {
  const isRecv = call === "recv";
  const outcome = isRecv ? "returns 0" : "fails with EPIPE";
  return defineCase({
    id: `events/peers-end/${type}-${call}-${claim}`,
    title: `${call}() that waits ${outcome} when the peer ${does}`,
    requirement: `the peer's end of a direction MUST wake a thread that waits in ${call}()`,
    refs: [
      spec("5.10.6.5 Stream Sockets"),
      kernel("virtio_transport_recv_pkt"),
      isRecv ? RECV : SEND,
    ],
    needs: connecting(type, "known-place"),
    does: {
      client:
        `connects a ${type} socket, waits in ${call}(), tells the server, and checks that it ` +
        `${outcome} when the server ${does}`,
      server: `accepts, and ${does} when the client waits`,
    },
    async client(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.connect(type);
      const wait = isRecv ? waitingRecv : waitingSend;
      const blocked = await wait(context, socket);
      await peer.writeln("WAITING");
      const what = `${call}() that waited`;
      if (isRecv) check.equal(await check.succeeds(what, () => blocked.result), 0, what);
      else await check.fails("EPIPE", what, () => blocked.result);
      check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 0, "SO_ERROR after it");
      await peer.writeln("DONE");
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept(type);
      await peer.expectln("WAITING");
      await check.succeeds(does, () => act(socket));
      await peer.expectln("DONE");
    },
  });
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...OWN.flatMap((own) => forBothTypes((type) => ownShutdown(type, own))),
  ...PEERS.flatMap((end) => forBothTypes((type) => peersEnd(type, end))),
  defineCase({
    id: "events/peers-end/all-told-of-shut-rdwr",
    title: "the peer's shutdown(SHUT_RDWR) ends recv(), send() and poll(), and is no error",
    requirement:
      "the peer's shutdown(SHUT_RDWR) MUST give recv() 0 and send() EPIPE, and leave SO_ERROR 0",
    refs: [spec("5.10.6.5 Stream Sockets"), RECV, kernel("vsock_poll")],
    needs: ["known-place"],
    does: {
      client:
        "connects, waits in recv(), and checks that it gives 0 when the server has shut down, " +
        "that poll() sees IN, OUT and RDHUP, send() is EPIPE, and SO_ERROR 0",
      server: "accepts, calls shutdown(SHUT_RDWR) when the client waits, and keeps the socket",
    },
    async client(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.connect("stream");
      const blocked = await waitingRecv(context, socket);
      await peer.writeln("WAITING");
      check.equal(await check.succeeds("recv()", () => blocked.result), 0, "recv() that waited");
      const all = POLLIN | POLLOUT | POLLRDHUP;
      await seesEvents(context, socket, all, all, "after the peer's shutdown(SHUT_RDWR)");
      await check.fails("EPIPE", "send()", () => socket.send(bytes(1), MSG_NOSIGNAL));
      check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 0, "SO_ERROR");
      await peer.writeln("DONE");
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await peer.expectln("WAITING");
      await check.succeeds("shutdown(SHUT_RDWR)", () => socket.shutdown(SHUT_RDWR));
      await peer.expectln("DONE");
    },
  }),
  ...forBothTypes((type) =>
    defineCase({
      id: `events/own-close/${type}-recv-goes-on`,
      title: "recv() that waits goes on when another thread closes the socket",
      requirement: "a thread that waits in recv() SHOULD keep the connection until it has its data",
      refs: [
        man("close", 2, "Multithreaded processes and close()"),
        RECV,
        kernel("__vsock_release"),
      ],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket, waits in recv() on one thread, closes it on another, and ` +
          "checks that recv() still waits, then gives the server's 10 bytes",
        server:
          "accepts, checks that the close ends nothing while recv() waits, sends 10 bytes, and " +
          "checks that the end comes then",
      },
      async client(context) {
        const { vsock, peer, check } = context;
        using socket = await vsock.connect(type);
        const blocked = await waitingRecv(context, socket);
        await check.succeeds("close()", () => socket.close());
        check.that(await blocked.sleeps(), "recv() ended with another thread's close()");
        await peer.writeln("CLOSED");
        const count = await check.succeeds("recv()", () => blocked.result);
        check.equal(count, 10, "what recv() gives that waited");
        await peer.writeln("DONE");
      },
      async server(context) {
        const { vsock, peer, check } = context;
        using socket = await vsock.accept(type);
        await peer.expectln("CLOSED");
        check.equal(await socket.poll(POLLRDHUP, 50), 0, "POLLRDHUP while recv() waits");
        await check.sends(socket, bytes(10));
        const rest = await readToEnd(context, socket, 0);
        check.equal(rest.length, 0, "what comes before the end");
        await peer.expectln("DONE");
      },
    })
  ),
  defineCase({
    id: "events/timeout/send-short-then-eagain",
    title: "SO_SNDTIMEO ends a send with what was taken, and the next with EAGAIN",
    requirement:
      "send() whose SO_SNDTIMEO is over MUST return what it took, or EAGAIN if that was nothing",
    refs: [man("socket", 7, "SO_RCVTIMEO and SO_SNDTIMEO"), SEND],
    needs: ["known-place"],
    does: {
      client:
        "connects, sets SO_SNDTIMEO to 200 ms, and checks that send() of 300000 bytes returns " +
        "262144, and the next is EAGAIN after 200 ms",
      server: "accepts, and reads nothing",
    },
    async client(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.connect("stream");
      socket.setTimeval(SOL_SOCKET, SO_SNDTIMEO, 200);
      const taken = await check.succeeds("send(300000)", () => socket.send(bytes(300_000)));
      check.equal(taken, WINDOW, "what send() took until its time was over");
      const again = () => socket.send(bytes(1));
      await failsAfter(check, "EAGAIN", 200, "the next send()", again);
      await peer.writeln("DONE");
    },
    server: (context) => keep(context, "stream"),
  }),
];
