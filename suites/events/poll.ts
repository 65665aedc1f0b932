/**
 * What poll() says of a socket in each of its states.
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
  fillWindow,
  forBothTypes,
  kernel,
  man,
  pollEvents,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRNORM,
  seesEvents,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  type Socket,
  WINDOW,
} from "../../kit/mod.ts";

const PIECE = 32 * 1024;
const ASKED = POLLIN | POLLOUT | POLLRDHUP;
const refs = [man("poll", 2, "DESCRIPTION"), kernel("vsock_poll")];

/** What the peer does to a connection, and how that reads. */
const PEERS: readonly (readonly [string, (socket: Socket) => void])[] = [
  ["does nothing", () => {}],
  ["sends a byte", (socket) => void socket.sendHere(bytes(1))],
  ["calls SHUT_RD", (socket) => socket.shutdown(SHUT_RD)],
  ["calls SHUT_WR", (socket) => socket.shutdown(SHUT_WR)],
  ["calls SHUT_RDWR", (socket) => socket.shutdown(SHUT_RDWR)],
  ["closes", (socket) => socket[Symbol.dispose]()],
];

const END = POLLIN | POLLRDHUP | POLLHUP;
const READ_END = POLLIN | POLLOUT | POLLRDHUP;

/**
 * What one's own shutdown() makes of it: of each state that the peer leaves, in the order of
 * {@linkcode PEERS}.
 */
const OWN: readonly (readonly [string, number | undefined, readonly number[]])[] = [
  [
    "no shutdown()",
    undefined,
    [POLLOUT, POLLIN | POLLOUT, POLLOUT, READ_END, READ_END, READ_END],
  ],
  ["SHUT_RD", SHUT_RD, [READ_END, READ_END, READ_END, READ_END, READ_END, READ_END]],
  ["SHUT_WR", SHUT_WR, [0, POLLIN, 0, END, END, END]],
  ["SHUT_RDWR", SHUT_RDWR, [END, END, END, END, END, END]],
];

async function look(context: CaseContext, sockets: readonly Socket[]) {
  const { check } = context;
  for (const [j, [own, how, expected]] of OWN.entries()) {
    for (const [i, [peers]] of PEERS.entries()) {
      const socket = sockets[j * PEERS.length + i];
      if (socket === undefined) throw new TypeError("Not connected");
      // The peer's deed has arrived before one's own is done.
      const before = OWN[0]?.[2][i] ?? 0;
      await seesEvents(context, socket, ASKED, before, `when the peer ${peers}`);
      if (how === undefined) continue;
      await check.succeeds(`shutdown(${own})`, () => socket.shutdown(how));
      await seesEvents(
        context,
        socket,
        ASKED,
        expected[i] ?? 0,
        `with ${own} when the peer ${peers}`,
      );
    }
  }
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `events/poll/${type}-every-end`,
      title: "poll() tells what each side's shutdown() and close() leave of a connection",
      requirement:
        "poll() MUST see POLLIN and POLLRDHUP where reading has ended, POLLHUP where all has, and no " +
        "POLLOUT after one's own SHUT_WR",
      refs,
      needs: connecting(type, "known-place"),
      does: {
        client:
          `connects 24 ${type} sockets, and checks of each that poll() sees exactly what the ` +
          "server's and its own shutdown() leave",
        server: "accepts them, and sends a byte to, shuts down, closes or leaves alone each, six " +
          "ways in turn",
      },
      async client(context) {
        const { vsock, peer } = context;
        const sockets = await vsock.connectSeveral(type, OWN.length * PEERS.length);
        await peer.expectln("DONE");
        await look(context, sockets);
        await peer.writeln("SEEN");
      },
      async server(context) {
        const { vsock, peer, check } = context;
        const sockets = await vsock.acceptSeveral(type, OWN.length * PEERS.length);
        for (const [i, socket] of sockets.entries()) {
          const [what, act] = PEERS[i % PEERS.length] ?? [];
          await check.succeeds(`${what}`, () => act?.(socket));
        }
        await peer.writeln("DONE");
        await peer.expectln("SEEN");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `events/poll/${type}-unconnected-and-listening`,
      title: "poll() tells when a listener has a connection, and waits until then",
      requirement: "poll() MUST see POLLIN of a listener when it has a connection, and not before",
      refs: [...refs, kernel("virtio_transport_recv_pkt")],
      needs: connecting(type, "known-place"),
      does: {
        client:
          `checks that poll() sees POLLOUT alone of a fresh ${type} socket, and connects when ` +
          "the server's poll() waits",
        server:
          "checks that poll() sees nothing of a listener, then waits until POLLIN comes with " +
          "the connection, and sees nothing when that was accepted",
      },
      async client(context) {
        const { vsock, peer } = context;
        using fresh = vsock.open(type);
        await seesEvents(context, fresh, ASKED, POLLOUT, "of a fresh socket");
        using _socket = await vsock.connect(type);
        await peer.expectln("DONE");
      },
      async server(context) {
        const { vsock, peer, check } = context;
        using listener = vsock.listening(type);
        await seesEvents(context, listener, ASKED, 0, "of a listener without a connection");
        const waiting = new Blocked(() => listener.poll(ASKED, -1));
        check.that(await waiting.sleeps(), "poll() of a listener does not wait");
        await peer.writeln("LISTENING");
        const seen = await check.succeeds("poll() of a listener", () => waiting.result);
        check.equal(pollEvents(seen), "POLLIN", "what poll() that waits for a connection sees");
        const { socket: accepted } = await check.succeeds("accept()", () => listener.accept());
        using _socket = accepted;
        await seesEvents(context, listener, ASKED, 0, "of a listener that was emptied");
        await peer.writeln("DONE");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `events/poll/${type}-wakes-up`,
      title: "poll() that waits wakes up for data, for the end, and for room to send",
      requirement: "poll() MUST wake up when what it waits for comes",
      refs: [...refs, kernel("virtio_transport_recv_pkt"), kernel("virtio_transport_write_space")],
      needs: connecting(type, "known-place"),
      does: {
        client:
          `connects a ${type} socket, and when the server says that its poll() waits sends 10 ` +
          "bytes, then reads what fills its window, then calls shutdown(SHUT_WR)",
        server: "accepts, and checks that poll() waits for each, and then sees exactly POLLIN, " +
          "POLLOUT, and POLLIN and POLLRDHUP",
      },
      async client({ vsock, peer, check }) {
        using socket = await vsock.connect(type);
        await peer.expectln("DATA");
        await check.sends(socket, bytes(10));
        await peer.expectln("ROOM");
        for (let left = WINDOW; left > 0; left -= PIECE) await check.receives(socket, PIECE);
        await peer.expectln("END");
        socket.shutdown(SHUT_WR);
        await peer.expectln("DONE");
      },
      async server(context) {
        const { vsock, peer, check } = context;
        using socket = await vsock.accept(type);
        const waits = async (events: number, line: string, expected: string) => {
          const waiting = new Blocked(() => socket.poll(events, -1));
          check.that(await waiting.sleeps(), `poll() for ${line} does not wait`);
          await peer.writeln(line);
          const seen = await check.succeeds(`poll() for ${line}`, () => waiting.result);
          check.equal(pollEvents(seen), expected, `what poll() for ${line} sees`);
        };
        await waits(POLLIN, "DATA", "POLLIN");
        await check.receives(socket, 10);
        check.equal(await fillWindow(context, socket, PIECE), WINDOW, "what fits into the window");
        await waits(POLLOUT, "ROOM", "POLLOUT");
        await waits(POLLIN | POLLRDHUP, "END", "POLLIN|POLLRDHUP");
        await peer.writeln("DONE");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `events/poll/${type}-normal-data`,
      title: "poll() tells of data and of room by all the names that these events have",
      requirement:
        "poll() MUST see POLLRDNORM with POLLIN, and POLLWRNORM with POLLOUT, as select() and " +
        "others ask for these",
      refs,
      needs: connecting(type, "known-place"),
      does: {
        client: `connects a ${type} socket, and sends a byte when it is asked to`,
        server:
          "listens, checks that a connection is POLLIN and POLLRDNORM, accepts, and checks that the " +
          "socket sees POLLOUT and POLLWRNORM, and with a byte POLLIN and POLLRDNORM, too",
      },
      async client({ vsock, peer, check }) {
        using socket = await vsock.connect(type);
        await peer.expectln("SEND");
        await check.sendsByte(socket);
        await peer.expectln("DONE");
      },
      async server(context) {
        const { vsock, peer } = context;
        using listener = vsock.listening(type);
        await peer.writeln("LISTENING");
        const [reads, writes] = [POLLIN | POLLRDNORM, POLLOUT | POLLWRNORM];
        const asked = reads | writes;
        await seesEvents(context, listener, asked, reads, "of a listener with a connection");
        const { socket } = await listener.accept();
        using accepted = socket;
        await seesEvents(context, accepted, asked, writes, "without data");
        await peer.writeln("SEND");
        await seesEvents(context, accepted, asked, reads | writes, "with data");
        await peer.writeln("DONE");
      },
    })
  ),
];
