/**
 * SO_LINGER: how long close() waits.
 *
 * @module
 */
import {
  type ConformanceCase,
  defineCase,
  kernel,
  man,
  SIOCOUTQ,
  SO_LINGER,
  SOL_SOCKET,
  upstream,
} from "../../kit/mod.ts";

/** Half of the longest wait for the peer, in seconds. */
const LINGER = 5;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Nothing was sent, so there is nothing to linger for. */
  defineCase({
    id: "stream/linger/close-after-nothing-sent",
    title: "close() with SO_LINGER on a connection without data succeeds",
    requirement: "close() with SO_LINGER and nothing sent MUST succeed and end the connection",
    refs: [
      upstream("SOCK_STREAM SO_LINGER null-ptr-deref"),
      man("socket", 7, "SO_LINGER"),
      kernel("vsock_linger"),
    ],
    does: {
      client: "connects, sets SO_LINGER to 1 s, and checks that close() succeeds",
      server: "accepts, and waits until the client has closed",
    },
    async client({ vsock, check }) {
      using socket = await vsock.connect("stream");
      const setLinger = () => socket.setLinger(SOL_SOCKET, SO_LINGER, 1);
      await check.succeeds("setsockopt(SO_LINGER)", setLinger);
      await check.succeeds("close()", () => socket.close());
    },
    async server({ vsock }) {
      using socket = await vsock.accept("stream");
      await vsock.waitRemoteClose(socket);
    },
  }),
  /** The data has arrived, but the peer does not read it. */
  defineCase({
    id: "stream/linger/no-wait-for-unread",
    title: "close() with SO_LINGER does not wait for a peer that does not read",
    requirement:
      "close() with SO_LINGER MUST NOT wait for data that has been delivered but not read",
    refs: [
      upstream(
        "SOCK_STREAM SO_LINGER close() on unread",
        "checks that the data can be received afterwards",
      ),
      man("socket", 7, "SO_LINGER"),
      kernel("vsock_linger"),
    ],
    needs: [{ client: "siocoutq" }],
    does: {
      client:
        "connects, sets SO_LINGER to 5 s, sends a byte, and checks that SIOCOUTQ becomes 0 and " +
        "that close() returns within 4 s",
      server: "accepts, and receives the byte only after the client has closed",
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect("stream");
      const setLinger = () => socket.setLinger(SOL_SOCKET, SO_LINGER, LINGER);
      await check.succeeds("setsockopt(SO_LINGER)", setLinger);
      await check.sendsByte(socket);
      await check.ioctlBecomes(socket, SIOCOUTQ, 0, "ioctl(SIOCOUTQ) after the data arrived");
      const { nanoseconds } = await check.succeeds("close()", () => socket.close());
      const seconds = Number(nanoseconds) / 1e9;
      check.that(Math.ceil(seconds) < LINGER, `close() took ${seconds.toFixed(2)} s`);
      await peer.writeln("DONE");
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await peer.expectln("DONE");
      await check.receivesByte(socket);
    },
  }),
];
