/**
 * Many connections to one listener: one after the other, and all at once.
 *
 * @module
 */
import {
  type ConformanceCase,
  connecting,
  connectPatiently,
  defineCase,
  forBothTypes,
  kernel,
  man,
  type Socket,
  SysError,
  timedSleep,
  type Vsock,
} from "../../kit/mod.ts";

/** How many connections follow one another. */
const ROUNDS = 20;
/** How many are begun at once, to a listener of this backlog, and how long it waits between two. */
const AT_ONCE = 50;
const BACKLOG = 5;
const PAUSE = 2;
/** How long a socket that was refused waits, in milliseconds. */
const RETRY_PAUSE = 20;

/** Connects until it is not refused, and tells how often it was. */
async function insists(vsock: Vsock, socket: Socket): Promise<number> {
  for (let refusals = 0;; refusals++) {
    try {
      await socket.connect(vsock.peerAddress());
      return refusals;
    } catch (error) {
      if (!(error instanceof SysError) || error.code !== "ECONNRESET") throw error;
      await timedSleep(RETRY_PAUSE);
    }
  }
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/repeated/${type}-one-by-one`,
      title: `20 ${type} connections one after the other use one listener`,
      requirement: "a listener MUST accept each of any number of connections that come and go",
      refs: [man("accept", 2, "DESCRIPTION"), kernel("vsock_accept")],
      needs: connecting(type),
      does: {
        client: `connects 20 ${type} sockets, one when the one before is closed, and each sends ` +
          "its number and receives it back",
        server: "accepts 20 times from one listener, and sends back the byte that it receives",
      },
      async client({ vsock, peer, check }) {
        await peer.expectln("LISTENING");
        for (let i = 0; i < ROUNDS; i++) {
          using socket = vsock.open(type);
          connectPatiently(socket);
          const connect = () => socket.connect(vsock.peerAddress());
          await check.succeeds(`connect() number ${i}`, connect);
          await check.sends(socket, Uint8Array.of(i));
          check.equal((await check.receives(socket, 1))[0], i, "the byte that came back");
        }
      },
      async server({ vsock, peer, check }) {
        using listener = vsock.listening(type);
        await peer.writeln("LISTENING");
        for (let i = 0; i < ROUNDS; i++) {
          const { socket } = await check.succeeds("accept()", () => listener.accept());
          using accepted = socket;
          const byte = await check.receives(accepted, 1);
          check.equal(byte[0], i, "the byte that came");
          await check.sends(accepted, byte);
        }
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/repeated/${type}-fifty-at-once`,
      title: `50 ${type} sockets at once are connected or refused, and all get in`,
      requirement:
        "connect() to a listener whose backlog is full MUST fail with ECONNRESET or succeed, never time " +
        "out, and succeed in the end",
      refs: [man("listen", 2, "DESCRIPTION"), kernel("virtio_transport_recv_pkt")],
      needs: connecting(type),
      does: {
        client:
          `connects 50 ${type} sockets at once, again where it fails with ECONNRESET, checks that each gets ` +
          "in, and each sends its number and receives it back",
        server:
          "listens with a backlog of 5, accepts one each 2 ms until there are 50, and sends back " +
          "the byte that each sends",
      },
      async client({ vsock, peer, check }) {
        await peer.expectln("LISTENING");
        const one = async (i: number) => {
          const socket = vsock.open(type);
          connectPatiently(socket);
          await check.succeeds(`connect() of number ${i}`, () => insists(vsock, socket));
          await check.sends(socket, Uint8Array.of(i));
          check.equal((await check.receives(socket, 1))[0], i, "the byte that came back");
        };
        await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => one(i)));
      },
      async server({ vsock, peer, check }) {
        using listener = vsock.listening(type, BACKLOG);
        using all = new DisposableStack();
        await peer.writeln("LISTENING");
        for (let i = 0; i < AT_ONCE; i++) {
          const { socket } = await check.succeeds("accept()", () => listener.accept());
          all.use(socket);
          await check.sends(socket, await check.receives(socket, 1));
          await timedSleep(PAUSE);
        }
      },
    })
  ),
];
