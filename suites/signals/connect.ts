/**
 * connect() that a signal interrupts, and that is called again.
 *
 * @module
 */
import {
  AF_VSOCK,
  Alarm,
  Blocked,
  type CaseContext,
  type ConformanceCase,
  connecting,
  connectPatiently,
  defineCase,
  errorOf,
  failsAfter,
  INTERRUPT_SIGNAL,
  kernel,
  man,
  SignalCounter,
  SO_ERROR,
  SO_VM_SOCKETS_CONNECT_TIMEOUT,
  SOL_SOCKET,
} from "../../kit/mod.ts";
import { lonely, tellsCid } from "../_shared/lonely.ts";

/** So many calls are interrupted: in each of them the answer may be on its way, or not. */
const ENOUGH = 120;
/** Most calls, where the signal misses them. */
const MOST = 1000;
/** How long after a call began the signal comes at first, in microseconds. */
const FIRST_DELAY = 100;
/** How much sooner or later the next one comes where this one missed the call. */
const STEP = 1.25;

/** How long a connect() waits that is to time out, in milliseconds. */
const CONNECT_TIME = 300;

/** Interrupts connect() of one socket, and says what a second call of it gives. */
function again({ vsock, random }: CaseContext, alarm: Alarm, delay: number) {
  using socket = vsock.open("stream");
  connectPatiently(socket);
  const address = vsock.peerAddress();
  const before = alarm.count;
  alarm.set(delay * (0.75 + random.below(512) / 1024));
  const first = errorOf(() => socket.connectHere(address));
  const early = alarm.count > before;
  const second = first === "EINTR" ? errorOf(() => socket.connectHere(address)) : undefined;
  return { first, second, early };
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineCase({
    id: "signals/connect/called-again-after-eintr",
    title: "connect() that a signal interrupted can be called again, and connects",
    requirement:
      "connect() that is called again after EINTR SHOULD connect, or say that the first call goes on " +
      "or has connected (EALREADY, EISCONN)",
    refs: [man("connect", 2, "EINTR"), kernel("vsock_connect")],
    alone: "it interrupts the thread of its process",
    timeFactor: 2,
    does: {
      client:
        `connects up to ${ENOUGH} times with a signal in the midst of it, and checks that a ` +
        "second call of each socket connects, or is EALREADY or EISCONN",
      server: "listens, and accepts nothing until the client is done",
    },
    async client(context) {
      const { peer, check } = context;
      await peer.expectln("LISTENING");
      using alarm = new Alarm();
      let delay = FIRST_DELAY;
      let interrupted = 0;
      for (let i = 0; i < MOST && interrupted < ENOUGH; i++) {
        await peer.letOthersRun();
        const { first, second, early } = again(context, alarm, delay);
        if (first !== "EINTR") {
          const factor = early ? STEP : 1 / STEP;
          delay = Math.min(Math.max(delay * factor, 1), 50_000);
          continue;
        }
        interrupted++;
        const isRight = second === undefined || ["EALREADY", "EISCONN"].includes(second);
        if (!isRight) {
          throw check.stop(`connect() after EINTR: ${second}, at interruption ${interrupted}`);
        }
      }
      if (interrupted === 0) throw new Error("no signal came in the midst of connect()");
      check.that(true, "connect() after EINTR");
      await peer.writeln("DONE");
    },
    async server({ vsock, peer }) {
      using _listener = vsock.listening("stream", MOST);
      await peer.writeln("LISTENING");
      await peer.expectln("DONE");
    },
  }),
  defineCase({
    id: "signals/eintr/connect",
    title: "a signal ends connect() that nobody answers with EINTR",
    requirement:
      "connect() that a signal interrupts before an answer MUST fail with EINTR, leave no error, and " +
      "SHOULD begin again when it is called again",
    refs: [man("connect", 2, "EINTR"), kernel("vsock_connect")],
    needs: connecting("stream", { client: "known-place" }, { client: "second-cid" }),
    alone: "it changes what a signal does to its process",
    does: {
      client:
        "binds a socket to a CID to which no answer finds its way, and checks that a signal " +
        "ends connect() with EINTR, that SO_ERROR is 0, and that connect() is then ETIMEDOUT after " +
        "300 ms",
      server: "tells the client by which CID it knows it, for connect()",
    },
    async client(context) {
      const { vsock, check } = context;
      using socket = await lonely(context, "stream");
      connectPatiently(socket);
      using signals = new SignalCounter(INTERRUPT_SIGNAL, 0);
      const connect = () => socket.connect(vsock.peerAddress());
      const blocked = new Blocked(connect);
      if (await blocked.sleeps()) blocked.interrupt();
      else check.that(false, "connect() does not wait");
      await check.fails("EINTR", "connect() with a signal", () => blocked.result);
      check.equal(signals.count, 1, "how often the signal was delivered");
      check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 0, "SO_ERROR after the signal");
      socket.setTimeval(AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, CONNECT_TIME);
      await failsAfter(check, "ETIMEDOUT", CONNECT_TIME, "connect() once more", connect);
    },
    server: tellsCid,
  }),
];
