/**
 * SO_RCVTIMEO on messages.
 *
 * @module
 */
import {
  bytes,
  type ConformanceCase,
  defineCase,
  kernel,
  man,
  SO_RCVTIMEO,
  type Socket,
  SOL_SOCKET,
  timedSleep,
  TimedSysError,
  upstream,
} from "../../kit/mod.ts";

const TIMEOUT = 1000;
/** How late a read may return, in milliseconds. */
const MAX_LATE = 250;
/** How many attempts there are before lateness counts as a failure. */
const TRIES = 3;
/**
 * How early: the kernel counts ticks from the last one that it saw, which may be some time ago in a
 * VM whose processor was just preempted.
 */
const MAX_EARLY = 250;

/**
 * Reads although nothing is sent. In a process that was stopped or frozen meanwhile the call fails
 * with EINTR instead of timing out, signal(7); a faulty kernel does so every time.
 */
async function readNothing(socket: Socket): Promise<unknown> {
  for (let tries = 1;; tries++) {
    try {
      return await socket.readTimed(bytes(1));
    } catch (error) {
      const isInterrupted = error instanceof TimedSysError && error.code === "EINTR";
      if (!isInterrupted || tries === TRIES) throw error;
    }
  }
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** A read while nothing is sent. */
  defineCase({
    id: "seqpacket/rcvtimeo/ends-read-with-eagain",
    title: "SO_RCVTIMEO makes read() fail with EAGAIN in time",
    requirement: "read() MUST fail with EAGAIN after SO_RCVTIMEO, and not much later",
    refs: [
      upstream("SOCK_SEQPACKET timeout"),
      man("socket", 7, "SO_RCVTIMEO"),
      kernel("vsock_connectible_wait_data"),
    ],
    needs: ["seqpacket"],
    does: {
      client:
        "connects, sets SO_RCVTIMEO to 1 s, and checks that read() fails with EAGAIN, at most " +
        "250 ms too early, and in one of three attempts at most 250 ms later than a parallel " +
        "sleep of 1 s",
      server: "accepts, sends nothing, and keeps the connection until the client is done",
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect("seqpacket");
      await check.setsTimeval(socket, SOL_SOCKET, SO_RCVTIMEO, TIMEOUT);
      let late = Infinity;
      let machineLate = 0;
      // A busy machine may run a thread late once; a faulty kernel is late every time.
      for (let tries = 0; tries < TRIES && late - machineLate > MAX_LATE; tries++) {
        // A sleep of the same length in parallel shows how late this machine itself is.
        const sleep = timedSleep(TIMEOUT);
        const error = await check.fails("EAGAIN", "read()", () => readNothing(socket));
        machineLate = await sleep - TIMEOUT;
        // What happened instead has been recorded already.
        if (!(error instanceof TimedSysError)) return;
        late = Number(error.nanoseconds) / 1e6 - TIMEOUT;
        check.that(late >= -MAX_EARLY, `read() returned ${-Math.round(late)} ms too early`);
      }
      check.that(
        late - machineLate <= MAX_LATE,
        `read() returned ${Math.round(late)} ms late (a sleep: ${Math.round(machineLate)} ms)`,
      );
      await peer.writeln("WAITDONE");
    },
    async server({ vsock, peer }) {
      using _socket = await vsock.accept("seqpacket");
      await peer.expectln("WAITDONE");
    },
  }),
];
