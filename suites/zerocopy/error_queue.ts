/**
 * The error queue, empty or never read.
 *
 * @module
 */
import {
  BYTE,
  bytes,
  type Check,
  type ConformanceCase,
  connectPatiently,
  defineCase,
  kernel,
  man,
  Mapping,
  MSG_ERRQUEUE,
  MSG_ZEROCOPY,
  pageSize,
  POLLERR,
  SO_ZEROCOPY,
  type Socket,
  SOL_SOCKET,
  upstream,
} from "../../kit/mod.ts";

const CONTROL_SIZE = 128;

const UNREAD =
  "sets SO_ZEROCOPY, sends a byte with MSG_ZEROCOPY, checks that poll() reports POLLERR, and " +
  "closes without reading the completion";

/** Sends a byte with MSG_ZEROCOPY, and closes the socket without reading the completion. */
async function closeUnread(socket: Socket, check: Check): Promise<void> {
  await check.setsInt(socket, SOL_SOCKET, SO_ZEROCOPY, 1);
  // The kernel sends it from where it is, so it must not be in memory that V8 may reuse.
  using memory = new Mapping(pageSize());
  const byte = memory.bytes(0, 1).fill(BYTE);
  await check.sends(socket, byte, MSG_ZEROCOPY);
  const revents = await check.succeeds("poll()", () => socket.poll(0));
  check.flag(revents, POLLERR, "POLLERR after send(MSG_ZEROCOPY)");
  await check.succeeds("close()", () => socket.close());
}

/** Enough that leaked buffers stand out among the machine's others: agent/leak_watch.ts. */
const CONNECTIONS = 200;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Nothing was sent. */
  defineCase({
    id: "zerocopy/error-queue/empty-is-eagain",
    title: "recvmsg(MSG_ERRQUEUE) on an empty error queue fails with EAGAIN",
    requirement: "recvmsg(MSG_ERRQUEUE) with nothing in the error queue MUST fail with EAGAIN",
    refs: [
      upstream(
        "SOCK_STREAM MSG_ZEROCOPY empty MSG_ERRQUEUE",
        "checks which error it is",
      ),
      man("recv", 2, "MSG_ERRQUEUE"),
      kernel("sock_recv_errqueue"),
    ],
    does: {
      client: "connects, sends nothing, and checks that recvmsg(MSG_ERRQUEUE) fails with EAGAIN",
      server: "accepts, and keeps the connection until the client is done",
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect("stream");
      const receive = () => socket.recvmsg([], MSG_ERRQUEUE, bytes(CONTROL_SIZE));
      await check.fails("EAGAIN", "recvmsg(MSG_ERRQUEUE)", receive);
      await peer.writeln("DONE");
    },
    async server({ vsock, peer }) {
      using _socket = await vsock.accept("stream");
      await peer.expectln("DONE");
    },
  }),
  /** A completion stays unread. Only kmemleak sees a single leak; many show in the counts. */
  defineCase({
    id: "zerocopy/error-queue/closed-unread",
    title: "a socket with an unread completion can be closed",
    requirement:
      "send(MSG_ZEROCOPY) MUST cause POLLERR, and close() MUST discard an unread completion",
    refs: [
      upstream(
        "SOCK_STREAM MSG_ZEROCOPY leak MSG_ERRQUEUE",
        "checks that poll() woke up for POLLERR",
      ),
      man("recv", 2, "MSG_ERRQUEUE"),
      kernel("vsock_sk_destruct"),
    ],
    needs: [{ client: "zerocopy" }],
    does: {
      client: `connects, ${UNREAD}`,
      server: "accepts, receives the byte, and waits until the client has closed",
    },
    async client({ vsock, check }) {
      using socket = await vsock.connect("stream");
      await closeUnread(socket, check);
    },
    async server({ vsock, check }) {
      using socket = await vsock.accept("stream");
      await check.receivesByte(socket);
      await vsock.waitRemoteClose(socket);
    },
  }),
  /** As above, until a leak shows in the kernel's count of socket buffers. */
  defineCase({
    id: "zerocopy/error-queue/unread-leaks-nothing",
    title: "sockets closed with unread completions leave nothing behind",
    requirement: "close() MUST free unread completions",
    refs: [man("recv", 2, "MSG_ERRQUEUE"), kernel("vsock_sk_destruct")],
    needs: [{ client: "zerocopy" }],
    does: {
      client: `connects ${CONNECTIONS} times, one after the other, and each time ${UNREAD}`,
      server:
        `listens with a backlog of ${CONNECTIONS}, and that many times accepts, receives the byte, ` +
        "and waits until the client has closed",
    },
    async client({ vsock, peer, check }) {
      await peer.expectln("LISTENING");
      for (let i = 0; i < CONNECTIONS; i++) {
        using socket = vsock.open("stream");
        connectPatiently(socket);
        await socket.connect(vsock.peerAddress());
        await closeUnread(socket, check);
      }
    },
    async server({ vsock, peer, check }) {
      // The client may have closed the next connection before this side has accepted one.
      using listener = vsock.listening("stream", CONNECTIONS);
      await peer.writeln("LISTENING");
      for (let i = 0; i < CONNECTIONS; i++) {
        const { socket: accepted } = await listener.accept();
        using socket = accepted;
        await check.receivesByte(socket);
        await vsock.waitRemoteClose(socket);
      }
    },
  }),
];
