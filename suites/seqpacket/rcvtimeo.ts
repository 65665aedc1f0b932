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
/** How much later than that a read may return, in milliseconds. */
const MAX_LATE = 250;
/** How often that is measured, and begun, before it counts. */
const TRIES = 3;
/**
 * How much earlier: the kernel counts in ticks from the last one that it saw, which is some time
 * ago in a VM whose processor was just taken away.
 */
const MAX_EARLY = 250;

/**
 * Reads what nobody sends. A process that was stopped meanwhile, or frozen, is told EINTR instead of
 * the time's end, signal(7); a kernel that says so of itself does it every time.
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
  /** A read that nothing is sent to. */
  defineCase({
    id: "seqpacket/rcvtimeo/ends-read-with-eagain",
    title: "SO_RCVTIMEO ends a read() in time with EAGAIN",
    requirement: "read() MUST fail with EAGAIN when SO_RCVTIMEO has passed, and not much later",
    refs: [
      upstream("SOCK_SEQPACKET timeout"),
      man("socket", 7, "SO_RCVTIMEO"),
      kernel("vsock_connectible_wait_data"),
    ],
    needs: ["seqpacket"],
    does: {
      client:
        "connects, sets SO_RCVTIMEO to 1 s, and claims that read() is EAGAIN, at most 250 ms too " +
        "early, and in one of three tries at most 250 ms later than a sleep of 1 s beside it",
      server: "accepts, sends nothing, and keeps the connection until the client is done",
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect("seqpacket");
      await check.setsTimeval(socket, SOL_SOCKET, SO_RCVTIMEO, TIMEOUT);
      let late = Infinity;
      let machineLate = 0;
      // A busy machine may run a thread late once; a kernel that errs is late every time.
      for (let tries = 0; tries < TRIES && late - machineLate > MAX_LATE; tries++) {
        // A sleep of the same length beside it tells how late this machine itself is.
        const sleep = timedSleep(TIMEOUT);
        const error = await check.fails("EAGAIN", "read()", () => readNothing(socket));
        machineLate = await sleep - TIMEOUT;
        // What it was instead is written down already.
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
