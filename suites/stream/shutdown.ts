/**
 * shutdown(): later sends fail with EPIPE, and with SIGPIPE unless MSG_NOSIGNAL is set.
 *
 * @module
 */
import {
  bytes,
  type CaseContext,
  type ConformanceCase,
  defineCase,
  kernel,
  man,
  MSG_NOSIGNAL,
  SHUT_RD,
  SHUT_WR,
  SignalCounter,
  SIGPIPE,
  type Socket,
  spec,
  timedSleep,
  upstream,
} from "../../kit/mod.ts";

type Check = CaseContext["check"];

/** Pause between two sends, so that they do not fill the peer's buffer; in milliseconds. */
const PAUSE = 10;

/** Sends until it fails: a send may still succeed until the peer's shutdown() has arrived. */
async function sendUntilRefused(socket: Socket, { patience }: Check): Promise<number> {
  const deadline = performance.now() + patience;
  for (;;) {
    const result = await socket.send(bytes(1));
    if (performance.now() >= deadline) return result;
    await timedSleep(PAUSE);
  }
}

/** @param send sends until it is refused; from then on every send must be. */
async function sendIsRefused(socket: Socket, send: () => Promise<number>, check: Check) {
  using signals = new SignalCounter(SIGPIPE);
  await check.fails("EPIPE", "send()", send);
  check.equal(signals.count, 1, "how many SIGPIPE a refused send() raised");
  using others = new SignalCounter(SIGPIPE);
  const quietly = () => socket.send(bytes(1), MSG_NOSIGNAL);
  await check.fails("EPIPE", "send(MSG_NOSIGNAL)", quietly);
  check.equal(others.count, 0, "how many SIGPIPE a refused send(MSG_NOSIGNAL) raised");
}

const refs = [man("send", 2, "EPIPE"), kernel("vsock_connectible_sendmsg")];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** The sender's own side is shut down for sending. */
  defineCase({
    id: "stream/shutdown/own-write-is-epipe",
    title: "send() after shutdown(SHUT_WR) fails with EPIPE and raises SIGPIPE",
    requirement:
      "send() after shutdown(SHUT_WR) MUST fail with EPIPE and, without MSG_NOSIGNAL, raise " +
      "SIGPIPE",
    alone: "it counts the signals of its process",
    refs: [
      upstream("SOCK_STREAM SHUT_WR", "checks that the first send() is refused, not a later one"),
      man("shutdown", 2, "DESCRIPTION"),
      ...refs,
    ],
    does: {
      client:
        "connects, calls shutdown(SHUT_WR), and checks that send() fails with EPIPE and raises " +
        "one SIGPIPE, and that send(MSG_NOSIGNAL) fails with EPIPE and raises none",
      server: "accepts, and keeps the connection until the client is done",
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect("stream");
      await check.succeeds("shutdown(SHUT_WR)", () => socket.shutdown(SHUT_WR));
      await sendIsRefused(socket, () => socket.send(bytes(1)), check);
      await peer.writeln("CLIENTDONE");
    },
    async server({ vsock, peer }) {
      using _socket = await vsock.accept("stream");
      await peer.expectln("CLIENTDONE");
    },
  }),
  /** The peer's side is shut down for receiving. */
  defineCase({
    id: "stream/shutdown/peers-read-is-epipe",
    title: "send() after the peer's shutdown(SHUT_RD) fails with EPIPE and raises SIGPIPE",
    requirement:
      "send() to a peer that called shutdown(SHUT_RD) MUST fail with EPIPE and raise SIGPIPE",
    alone: "it counts the signals of its process",
    refs: [upstream("SOCK_STREAM SHUT_RD"), spec("5.10.6.5 Stream Sockets"), ...refs],
    does: {
      client:
        "connects, sends a byte every 10 ms once the server has shut down, and checks that this " +
        "ends with EPIPE and one SIGPIPE, and that send(MSG_NOSIGNAL) fails with EPIPE and " +
        "raises none",
      server: "accepts, calls shutdown(SHUT_RD), and keeps the connection until the client is done",
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect("stream");
      await peer.expectln("SHUTRDDONE");
      await sendIsRefused(socket, () => sendUntilRefused(socket, check), check);
      await peer.writeln("CLIENTDONE");
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await check.succeeds("shutdown(SHUT_RD)", () => socket.shutdown(SHUT_RD));
      await peer.writeln("SHUTRDDONE");
      await peer.expectln("CLIENTDONE");
    },
  }),
];
