/**
 * The error queue, empty or never read.
 *
 * @module
 */
import {
  bytes,
  defineCase,
  kernel,
  man,
  MSG_ERRQUEUE,
  MSG_ZEROCOPY,
  POLLERR,
  SO_ZEROCOPY,
  SOL_SOCKET,
  upstream,
} from "../kit.ts";

const CONTROL_SIZE = 128;

/** Nothing was sent. */
export const emptyIsEagain = defineCase({
  id: "zerocopy/error-queue/empty-is-eagain",
  title: "recvmsg(MSG_ERRQUEUE) on an empty error queue is EAGAIN",
  requirement: "recvmsg(MSG_ERRQUEUE) with nothing in the error queue MUST fail with EAGAIN",
  refs: [
    upstream(
      "SOCK_STREAM MSG_ZEROCOPY empty MSG_ERRQUEUE",
      "claims which error it is",
    ),
    man("recv", 2, "MSG_ERRQUEUE"),
    kernel("sock_recv_errqueue"),
  ],
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
});

/** A completion stays unread; that it leaks shows in the kernel's log, through kmemleak. */
export const closedUnread = defineCase({
  id: "zerocopy/error-queue/closed-unread",
  title: "a socket with an unread completion can be closed",
  requirement:
    "send(MSG_ZEROCOPY) MUST lead to POLLERR, and close() MUST take an unread completion",
  refs: [
    upstream(
      "SOCK_STREAM MSG_ZEROCOPY leak MSG_ERRQUEUE",
      "claims that poll() woke up for POLLERR",
    ),
    man("recv", 2, "MSG_ERRQUEUE"),
    kernel("vsock_sk_destruct"),
  ],
  needs: [{ client: "zerocopy" }],
  async client({ vsock, check }) {
    using socket = await vsock.connect("stream");
    await check.setsInt(socket, SOL_SOCKET, SO_ZEROCOPY, 1);
    await check.sendsByte(socket, MSG_ZEROCOPY);
    const revents = await check.succeeds("poll()", () => socket.poll(0));
    check.flag(revents, POLLERR, "POLLERR after send(MSG_ZEROCOPY)");
    await check.succeeds("close()", () => socket.close());
  },
  async server({ vsock, check }) {
    using socket = await vsock.accept("stream");
    await check.receivesByte(socket);
    await vsock.waitRemoteClose(socket);
  },
});
