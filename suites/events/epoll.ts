/**
 * epoll by level and by edge.
 *
 * @module
 */
import {
  bytes,
  type CaseContext,
  type ConformanceCase,
  connecting,
  defineCase,
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  fillWindow,
  forBothTypes,
  kernel,
  man,
  POLLIN,
  SHUT_WR,
  timedSleep,
  WINDOW,
} from "../../kit/mod.ts";

const READY = kernel("virtio_transport_recv_pkt");
const PIECE = 32 * 1024;
/** For so long nothing more must come, in milliseconds. */
const QUIET = 50;

type Epoll = ReturnType<CaseContext["vsock"]["epoll"]>;

/** Check what an epoll_wait() that waits gives: of the one socket exactly these events. */
async function gives({ check }: CaseContext, epoll: Epoll, expected: number, what: string) {
  const events = await check.succeeds(`epoll_wait() ${what}`, () => epoll.wait(check.patience));
  check.equal(events.map((event) => event.events), [expected], `epoll_wait() ${what}`);
}

/** Check that there is nothing more to tell, also a moment later. */
async function givesNothing({ check }: CaseContext, epoll: Epoll, what: string) {
  const events = await check.succeeds(`epoll_wait() ${what}`, () => epoll.wait(QUIET));
  check.equal(events, [], `epoll_wait() ${what}`);
}

const READ = EPOLLIN | EPOLLRDHUP;

/** Sends on demand, then ends its direction. */
async function sendOnDemand({ vsock, peer, check }: CaseContext, type: "stream" | "seqpacket") {
  using socket = await vsock.connect(type);
  for (let i = 0; i < 3; i++) {
    await peer.expectln("SEND");
    await check.sends(socket, bytes(100));
  }
  await peer.expectln("END");
  socket.shutdown(SHUT_WR);
  await peer.expectln("DONE");
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `events/epoll/${type}-one-edge-per-arrival`,
      title: "epoll by edge tells each arrival once, and the end once",
      requirement: "EPOLLET MUST tell every arrival once, also where earlier data is still unread",
      refs: [man("epoll", 7, "Level-triggered and edge-triggered"), kernel("vsock_poll"), READY],
      needs: connecting(type, "known-place"),
      does: {
        client:
          `connects a ${type} socket, sends 100 bytes three times, and calls shutdown(SHUT_WR), ` +
          "each when the server says so",
        server:
          "accepts, and checks that epoll_wait() with EPOLLET gives EPOLLIN once for each, read " +
          "or not, nothing between, and EPOLLIN and EPOLLRDHUP once at the end",
      },
      client: (context) => sendOnDemand(context, type),
      async server(context) {
        const { vsock, peer, check } = context;
        using socket = await vsock.accept(type);
        using epoll = vsock.epoll();
        epoll.add(socket, READ | EPOLLET);
        await givesNothing(context, epoll, "before anything came");
        for (const nth of ["first", "second"]) {
          await peer.writeln("SEND");
          await gives(context, epoll, EPOLLIN, `by edge, at the ${nth} arrival`);
          await givesNothing(context, epoll, `by edge, after the ${nth} arrival was told`);
        }
        await check.receives(socket, 100);
        await check.receives(socket, 100);
        await givesNothing(context, epoll, "by edge, when all was read");
        await peer.writeln("SEND");
        await gives(context, epoll, EPOLLIN, "by edge, at the third arrival");
        await peer.writeln("END");
        await gives(context, epoll, READ, "by edge, at the end");
        await givesNothing(context, epoll, "by edge, after the end was told");
        await peer.writeln("DONE");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `events/epoll/${type}-level-until-read`,
      title: "epoll by level tells of data until that was read",
      requirement:
        "epoll by level MUST tell of unread data each time, and no more when it was read",
      refs: [man("epoll", 7, "Level-triggered and edge-triggered"), kernel("vsock_poll")],
      needs: connecting(type, "known-place"),
      does: {
        client:
          `connects a ${type} socket, sends 100 bytes three times when it is asked to, and calls ` +
          "shutdown(SHUT_WR)",
        server:
          "accepts, and checks that epoll_wait() gives EPOLLIN twice for each, nothing when it " +
          "was read, and EPOLLIN and EPOLLRDHUP at the end, again and again",
      },
      client: (context) => sendOnDemand(context, type),
      async server(context) {
        const { vsock, peer, check } = context;
        using socket = await vsock.accept(type);
        using epoll = vsock.epoll();
        epoll.add(socket, READ);
        for (let i = 0; i < 3; i++) {
          await peer.writeln("SEND");
          for (const when of ["", ", again"]) {
            await gives(context, epoll, EPOLLIN, `by level, of data${when}`);
          }
          await check.receives(socket, 100);
          await givesNothing(context, epoll, "by level, when all was read");
        }
        await peer.writeln("END");
        for (const when of ["", ", again"]) {
          await gives(context, epoll, READ, `by level, of the end${when}`);
        }
        epoll.remove(socket);
        await givesNothing(context, epoll, "of a socket that is no longer watched");
        await peer.writeln("DONE");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `events/epoll/${type}-edge-when-room-comes`,
      title: "epoll by edge tells a sender of room when a full window is read",
      requirement: "EPOLLET MUST tell a sender whose window was full when there is room again",
      refs: [
        man("epoll", 7, "Level-triggered and edge-triggered"),
        kernel("virtio_transport_write_space"),
      ],
      needs: connecting(type, "known-place"),
      does: {
        client: `connects a ${type} socket, fills the window, and checks that epoll_wait() with ` +
          "EPOLLET gives nothing until the server has read, then EPOLLOUT, twice",
        server: "accepts, and reads all, twice, when the client waits for it",
      },
      async client(context) {
        const { vsock, peer, check } = context;
        using socket = await vsock.connect(type);
        using epoll = vsock.epoll();
        for (let i = 0; i < 2; i++) {
          check.equal(
            await fillWindow(context, socket, PIECE),
            WINDOW,
            "what fits into the window",
          );
          if (i === 0) epoll.add(socket, EPOLLOUT | EPOLLET);
          await givesNothing(context, epoll, "by edge, of a sender whose window is full");
          await peer.writeln("READ");
          await gives(context, epoll, EPOLLOUT, "by edge, when there is room");
          await peer.expectln("ALL");
          // Reading may have told of room more than once.
          await epoll.wait(0);
        }
        await peer.writeln("DONE");
      },
      async server({ vsock, peer, check }) {
        using socket = await vsock.accept(type);
        for (let i = 0; i < 2; i++) {
          await peer.expectln("READ");
          for (let left = WINDOW; left > 0; left -= PIECE) await check.receives(socket, PIECE);
          // The last word on room has left before the next window is filled.
          await timedSleep(QUIET);
          await peer.writeln("ALL");
        }
        await peer.expectln("DONE");
      },
    })
  ),
  defineCase({
    id: "events/epoll/listener-edge",
    title: "epoll by edge tells a listener of each connection",
    requirement: "EPOLLET MUST tell of each connection that comes to a listener",
    refs: [man("epoll", 7, "Level-triggered and edge-triggered"), READY],
    needs: ["known-place"],
    does: {
      client: "connects three times, each when the server says so",
      server:
        "checks that epoll_wait() with EPOLLET gives EPOLLIN once for each connection, and that " +
        "accept() then gives it",
    },
    async client({ vsock, peer, check }) {
      for (let i = 0; i < 3; i++) {
        await peer.expectln("CONNECT");
        using socket = vsock.open("stream");
        await check.succeeds("connect()", () => socket.connect(vsock.peerAddress()));
        await peer.expectln("ACCEPTED");
      }
    },
    async server(context) {
      const { vsock, peer, check } = context;
      using listener = vsock.listening("stream");
      using epoll = vsock.epoll();
      epoll.add(listener, EPOLLIN | EPOLLET);
      for (let i = 0; i < 3; i++) {
        await givesNothing(context, epoll, "by edge, of a listener without a connection");
        await peer.writeln("CONNECT");
        await gives(context, epoll, EPOLLIN, "by edge, of a listener with a connection");
        const { socket: accepted } = await check.succeeds("accept()", () => listener.accept());
        using _socket = accepted;
        check.equal(await listener.poll(POLLIN, 0), 0, "poll() of a listener that was emptied");
        await peer.writeln("ACCEPTED");
      }
    },
  }),
];
