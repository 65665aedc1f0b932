/**
 * Several connections between the same two machines: none is bound by another's window.
 *
 * @module
 */
import {
  Blocked,
  bytes,
  type CaseContext,
  type ConformanceCase,
  connectPatiently,
  defineCase,
  errorOf,
  fillAgain,
  fillWindow,
  int,
  kernel,
  readToEnd,
  SHUT_WR,
  type Socket,
  spec,
  until,
  WINDOW,
} from "../../kit/mod.ts";

const refs = [spec("5.10.6.3 Buffer Space Management")];
const PIECE = 32 * 1024;
const ROUND_TRIPS = 25;
const LARGE = 1024 * 1024;
/** More than a kernel has places in its table of connections, so that some share one. */
const MANY = 300;
/** How many bytes a number has. */
const NUMBER = 4;

/** One of several connections. */
function at(sockets: readonly Socket[], i: number): Socket {
  const socket = sockets[i];
  if (socket === undefined) throw new RangeError(`There is no connection ${i}`);
  return socket;
}

/** Check that each connection brings its number, which may still be under way. */
async function receiveNumbers({ check, peer }: CaseContext, sockets: readonly Socket[]) {
  for (const [i, socket] of sockets.entries()) {
    const number = bytes(NUMBER);
    const isThere = () => errorOf(() => void socket.recvFrom(number, null, null)) !== "EAGAIN";
    await until(isThere, { timeout: check.patience, pause: 1 });
    check.sameBytes(number, int(i), `connection ${i}`);
    await peer.letOthersRun();
  }
}

/** Check that exactly one window more can be sent. */
async function fillsOne(context: CaseContext, socket: Socket, what: string) {
  context.check.equal(await fillAgain(context, socket, WINDOW, PIECE), WINDOW, what);
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineCase({
    id: "flow/connections/each-has-its-own-credit",
    title: "each connection has a window of its own, whatever went through another",
    requirement: "the credit of a connection MUST be its own, not its device's",
    refs: [...refs, kernel("virtio_transport_get_credit"), kernel("virtio_transport_inc_rx_pkt")],
    needs: ["known-place"],
    does: {
      client:
        "connects twice, sends and receives 1 MiB over the first, fills it, and checks that " +
        "262144 bytes fit into the second, again when that was read, and then into the first",
      server:
        "accepts both, exchanges 1 MiB, and reads the second, then the first, as the client says",
    },
    async client(context) {
      const { vsock, peer, check } = context;
      const connections = await vsock.connectSeveral("stream", 2);
      const [first, second] = [at(connections, 0), at(connections, 1)];
      await check.sends(first, bytes(4 * WINDOW));
      await check.receives(first, 4 * WINDOW);
      await fillsOne(context, first, "what fits into the first");
      await fillsOne(context, second, "what fits into the second");
      await peer.writeln("READ1");
      await fillsOne(context, second, "what fits into the second when it was read");
      check.equal(await fillWindow(context, first), 0, "what fits into the first meanwhile");
      await peer.writeln("READ0");
      await fillsOne(context, first, "what fits into the first when it was read");
      await peer.writeln("DONE");
    },
    async server(context) {
      const { vsock, peer, check } = context;
      const connections = await vsock.acceptSeveral("stream", 2);
      const [first, second] = [at(connections, 0), at(connections, 1)];
      await check.receives(first, 4 * WINDOW);
      await check.sends(first, bytes(4 * WINDOW));
      await peer.expectln("READ1");
      await check.receives(second, WINDOW);
      await peer.expectln("READ0");
      await check.receives(first, WINDOW);
      await peer.expectln("DONE");
    },
  }),
  defineCase({
    id: "flow/connections/full-one-holds-no-other",
    title: "a connection that nobody reads holds up no other",
    requirement:
      "a full connection with a sender that waits MUST NOT hold up others between the two",
    refs: [...refs, kernel("virtio_transport_send_pkt_info")],
    needs: ["known-place"],
    timeFactor: 2,
    does: {
      client:
        "connects three times, fills the first with a send() that waits, makes 25 round trips " +
        "over the second, sends 1 MiB over the third, and checks that the first then goes on",
      server: "accepts, answers over the second, receives all of the third, then of the first",
    },
    async client(context) {
      const { vsock, peer, check, random } = context;
      const connections = await vsock.connectSeveral("stream", 3);
      const [first, second, third] = [at(connections, 0), at(connections, 1), at(connections, 2)];
      check.equal(await fillWindow(context, first, PIECE), WINDOW, "what fits into the first");
      const blocked = new Blocked(() => first.send(bytes(PIECE)));
      check.that(await blocked.sleeps(), "send() over the first does not wait");
      for (let i = 0; i < ROUND_TRIPS; i++) {
        const message = bytes(64).fill(i);
        await check.sends(second, message);
        check.sameBytes(
          await check.receives(second, 64),
          message,
          `the answer ${i} over the second`,
        );
      }
      await check.sends(third, random.bytes(LARGE));
      await peer.expectln("RECEIVED");
      check.that(!blocked.ended, "send() over the first ended though nobody read");
      await peer.writeln("READ");
      const taken = await check.succeeds("send() that waited", () => blocked.result);
      check.equal(taken, PIECE, "what send() took that waited");
      first.shutdown(SHUT_WR);
      await peer.expectln("DONE");
    },
    async server(context) {
      const { vsock, peer, check, random } = context;
      const connections = await vsock.acceptSeveral("stream", 3);
      for (let i = 0; i < ROUND_TRIPS; i++) {
        await check.sends(at(connections, 1), await check.receives(at(connections, 1), 64));
      }
      const data = await check.receives(at(connections, 2), LARGE);
      check.sameBytes(data, random.bytes(LARGE), "what came over the third");
      await peer.writeln("RECEIVED");
      await peer.expectln("READ");
      const all = await readToEnd(context, at(connections, 0), WINDOW + PIECE);
      check.equal(all.length, WINDOW + PIECE, "what came over the first");
      await peer.writeln("DONE");
    },
  }),
  defineCase({
    id: "flow/connections/three-hundred-kept-apart",
    title: "three hundred connections of one listener are kept apart",
    requirement: "what is sent over a connection MUST arrive over that one, however many there are",
    refs: [kernel("vsock_find_connected_socket"), kernel("vsock_insert_connected")],
    timeFactor: 2,
    does: {
      client:
        "connects 300 times, sends each connection's number over it, and checks that the number " +
        "comes back over the same",
      server:
        "accepts 300 connections in order, and checks that each brings its number, which it " +
        "sends back",
    },
    async client(context) {
      const { vsock, peer, check } = context;
      await peer.expectln("LISTENING");
      const sockets: Socket[] = [];
      for (let i = 0; i < MANY; i++) {
        const socket = vsock.open("stream");
        connectPatiently(socket);
        await check.succeeds(`connect() number ${i}`, () => {
          socket.connectHere(vsock.peerAddress());
          socket.sendHere(int(i));
        });
        sockets.push(socket);
        await peer.letOthersRun();
      }
      await peer.writeln("SENT");
      await peer.expectln("SENT");
      await receiveNumbers(context, sockets);
      await peer.writeln("DONE");
    },
    async server(context) {
      const { vsock, peer, check } = context;
      using listener = vsock.listening("stream", MANY);
      using sockets = new DisposableStack();
      await peer.writeln("LISTENING");
      await peer.expectln("SENT");
      const accept = () => sockets.use(listener.acceptHere());
      const accepted: Socket[] = [];
      for (let i = 0; i < MANY; i++) accepted.push(await check.succeeds("accept()", accept));
      await receiveNumbers(context, accepted);
      for (const [i, socket] of accepted.entries()) socket.sendHere(int(i));
      await peer.writeln("SENT");
      await peer.expectln("DONE");
    },
  }),
];
