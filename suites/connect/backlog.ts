/**
 * The backlog of listen(2): how many connections a listener holds that nobody has accepted.
 *
 * @module
 */
import {
  type CaseContext,
  type ConformanceCase,
  connecting,
  connectPatiently,
  defineCase,
  forBothTypes,
  kernel,
  man,
  type Socket,
  type SocketType,
  spec,
} from "../../kit/mod.ts";

/** Backlogs that are tried, one listener each. */
const BACKLOGS = [0, 1, 3, 8];
/** Backlogs that net.core.somaxconn bounds, and how many connections are held at least. */
const HUGE = [-1, 0x7fffffff, 128];
const MANY = 60;

/** Connects once; here, since a kernel answers by itself, and there are hundreds. */
async function connectOnce({ vsock, check }: CaseContext, type: SocketType, what: string) {
  const socket = vsock.open(type);
  connectPatiently(socket);
  await check.succeeds(what, () => socket.connectHere(vsock.peerAddress()));
  return socket;
}

/** Claims that the next connection is refused. */
async function refused({ vsock, check }: CaseContext, type: SocketType, what: string) {
  using socket = vsock.open(type);
  connectPatiently(socket);
  await check.fails("ECONNRESET", what, () => socket.connectHere(vsock.peerAddress()));
}

/** Fills a listener whose backlog is known, and checks that it holds one more than that. */
async function fills(context: CaseContext, type: SocketType, backlog: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 1; i <= backlog + 1; i++) {
    sockets.push(await connectOnce(context, type, `connect() number ${i} of backlog ${backlog}`));
  }
  await refused(context, type, `connect() number ${backlog + 2} of backlog ${backlog}`);
  return sockets;
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/backlog/${type}-holds-one-more`,
      title: `a ${type} listener holds one connection more than its backlog, and refuses the next`,
      requirement:
        "listen(n) MUST hold n + 1 connections that nobody has accepted, and the next connect() " +
        "MUST fail with ECONNRESET until one is",
      refs: [
        man("listen", 2, "DESCRIPTION"),
        spec("5.10.6.5 Stream Sockets"),
        kernel("virtio_transport_recv_pkt"),
      ],
      needs: connecting(type),
      does: {
        client:
          `checks that one ${type} socket more than the backlog (0, 1, 3, 8) connects, and that the ` +
          "next fails with ECONNRESET; then that one connects, and the next is refused, for each accept()",
        server: "listens with each backlog, and accepts one connection when the client is refused",
      },
      async client(context) {
        const { peer } = context;
        for (const backlog of BACKLOGS) {
          await peer.expectln("LISTENING");
          const sockets = await fills(context, type, backlog);
          await peer.writeln("FULL");
          await peer.expectln("ACCEPTED");
          sockets.push(await connectOnce(context, type, "connect() after an accept()"));
          await refused(context, type, "connect() to what is full again");
          await peer.writeln("FULL");
          for (const socket of sockets) socket[Symbol.dispose]();
        }
      },
      async server({ vsock, peer, check }) {
        for (const backlog of BACKLOGS) {
          using listener = vsock.listening(type, backlog);
          await peer.writeln("LISTENING");
          await peer.expectln("FULL");
          const { socket } = await check.succeeds("accept()", () => listener.accept());
          using _accepted = socket;
          await peer.writeln("ACCEPTED");
          await peer.expectln("FULL");
        }
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/backlog/${type}-changes-with-listen`,
      title: `listen() of a ${type} listener changes its backlog`,
      requirement: "listen() of a listening socket MUST succeed and set its backlog anew",
      refs: [man("listen", 2, "DESCRIPTION"), kernel("vsock_listen")],
      needs: connecting(type),
      does: {
        client:
          `checks that just 1 ${type} socket connects, then 2 more when the server has called ` +
          "listen() again, and that the next fails with ECONNRESET each time",
        server: "listens with backlog 0, and calls listen(2) when the client was refused",
      },
      async client(context) {
        const { peer } = context;
        await peer.expectln("LISTENING");
        await fills(context, type, 0);
        await peer.writeln("FULL");
        await peer.expectln("MORE");
        await fills(context, type, 1);
        await peer.writeln("FULL");
      },
      async server({ vsock, peer, check }) {
        using listener = vsock.listening(type, 0);
        await peer.writeln("LISTENING");
        await peer.expectln("FULL");
        await check.succeeds("listen() of a listener", () => listener.listen(2));
        await peer.writeln("MORE");
        await peer.expectln("FULL");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/backlog/${type}-bounded-by-somaxconn`,
      title: `any backlog may be asked for a ${type} listener`,
      requirement:
        "listen() MUST take every number, as net.core.somaxconn bounds it, and hold 60 connections " +
        "with -1, 128 or 2147483647",
      refs: [man("listen", 2, "DESCRIPTION"), kernel("vsock_listen")],
      needs: connecting(type),
      does: {
        client: `connects 60 ${type} sockets to each of 3 listeners, one after the other`,
        server: "listens with backlog -1, 2147483647 and 128, accepting nothing",
      },
      async client(context) {
        for (const _ of HUGE) {
          await context.peer.expectln("LISTENING");
          for (let i = 1; i <= MANY; i++) {
            await connectOnce(context, type, `connect() number ${i}`);
          }
          await context.peer.writeln("DONE");
        }
      },
      async server({ vsock, peer, check }) {
        for (const backlog of HUGE) {
          using listener = vsock.bound(type);
          await check.succeeds(`listen(${backlog})`, () => listener.listen(backlog));
          await peer.writeln("LISTENING");
          await peer.expectln("DONE");
        }
      },
    })
  ),
];
