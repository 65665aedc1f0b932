/**
 * connect(2) that nobody answers: SO_VM_SOCKETS_CONNECT_TIMEOUT ends it.
 *
 * @module
 */
import {
  AF_VSOCK,
  type ConformanceCase,
  connecting,
  defineCase,
  errorOf,
  failsAfter,
  forBothTypes,
  kernel,
  man,
  POLLERR,
  POLLIN,
  POLLOUT,
  SO_ERROR,
  SO_VM_SOCKETS_CONNECT_TIMEOUT,
  type SocketType,
  SOL_SOCKET,
} from "../../kit/mod.ts";
import { lonely, tellsCid } from "../_shared/lonely.ts";

/** How long connect() is to wait, in milliseconds. */
const TIME = 400;
/** The kernel's own time for it. */
const DEFAULT_TIME = 2000;
/** ETIMEDOUT as SO_ERROR gives it. */
const TIMED_OUT = 110;

/** What each case here needs: that nobody answers is a matter of where the client is bound. */
function unanswered(type: SocketType) {
  return connecting(type, { client: "known-place" }, { client: "second-cid" });
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/timeout/${type}-ends-waiting`,
      title: `a ${type} connect() that nobody answers ends after SO_VM_SOCKETS_CONNECT_TIMEOUT`,
      requirement:
        "connect() MUST fail with ETIMEDOUT when SO_VM_SOCKETS_CONNECT_TIMEOUT has passed, and not " +
        "much later",
      refs: [man("vsock", 7, "SO_VM_SOCKETS_CONNECT_TIMEOUT"), kernel("vsock_connect")],
      needs: unanswered(type),
      does: {
        client:
          `binds a ${type} socket to a CID to which no answer finds its way, sets the time to 400 ` +
          "ms, and checks twice that connect() fails with ETIMEDOUT after it, at most 100 ms too early, and " +
          "SO_ERROR 0",
        server: "tells the client by which CID it knows it",
      },
      async client(context) {
        const { vsock, check } = context;
        using socket = await lonely(context, type);
        await check.setsTimeval(socket, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, TIME);
        for (const what of ["connect()", "connect() once more"]) {
          const connect = () => socket.connect(vsock.peerAddress());
          await failsAfter(check, "ETIMEDOUT", TIME, what, connect);
          check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 0, `SO_ERROR after ${what}`);
        }
      },
      server: tellsCid,
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/timeout/${type}-without-waiting`,
      title: `a ${type} connect() that does not wait ends after its time, too, and can begin again`,
      requirement:
        "connect() MUST fail with EALREADY while one before it goes on; when its time has passed poll() " +
        "MUST tell POLLERR, SO_ERROR ETIMEDOUT once, and connect() begin again",
      refs: [man("connect", 2, "EALREADY"), kernel("vsock_connect_timeout")],
      needs: unanswered(type),
      does: {
        client:
          `connects a ${type} socket that is bound where no answer comes and does not block, checks ` +
          "EINPROGRESS, EALREADY, no event for 200 ms of 400, then POLLERR, SO_ERROR ETIMEDOUT, 0, " +
          "and EINPROGRESS again",
        server: "tells that client by which CID it knows it",
      },
      async client(context) {
        const { vsock, check } = context;
        using socket = await lonely(context, type);
        socket.setTimeval(AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, TIME);
        socket.setNonblocking();
        const connect = () => socket.connectHere(vsock.peerAddress());
        const begun = performance.now();
        await check.fails("EINPROGRESS", "connect()", connect);
        const code = errorOf(connect);
        // A machine that stood still meanwhile has shown nothing.
        const isEarly = performance.now() - begun < TIME;
        check.that(code === "EALREADY" || !isEarly, `connect() while one goes on: got ${code}`);
        const early = await check.succeeds("poll()", () => socket.poll(POLLIN | POLLOUT, TIME / 2));
        const took = performance.now() - begun;
        if (took < TIME) check.equal(early, 0, `revents after ${Math.round(took)} ms of ${TIME}`);
        const poll = () => socket.poll(POLLIN | POLLOUT, check.patience);
        const revents = await check.succeeds("poll()", poll);
        check.equal(revents & POLLERR, POLLERR, "POLLERR when the time has passed");
        const read = () => socket.getInt(SOL_SOCKET, SO_ERROR);
        check.equal(await check.succeeds("SO_ERROR", read), TIMED_OUT, "SO_ERROR");
        check.equal(await check.succeeds("SO_ERROR", read), 0, "SO_ERROR when it was read once");
        await check.fails("EINPROGRESS", "connect() after its time", connect);
      },
      server: tellsCid,
    })
  ),
  defineCase({
    id: "connect/timeout/default-is-two-seconds",
    title: "connect() waits 2 s for an answer unless it is told otherwise",
    requirement: "connect() MUST fail with ETIMEDOUT after 2 s where no time was set",
    refs: [man("vsock", 7, "SO_VM_SOCKETS_CONNECT_TIMEOUT"), kernel("vsock_connect")],
    needs: unanswered("stream"),
    slow: true,
    does: {
      client:
        "binds a socket to a CID to which no answer finds its way, and checks that connect() is " +
        "ETIMEDOUT after 2 s, at most 100 ms too early and 250 ms later than a sleep beside it",
      server: "tells the client by which CID it knows it, and nothing else",
    },
    async client(context) {
      const { vsock, check } = context;
      using socket = await lonely(context, "stream");
      const connect = () => socket.connect(vsock.peerAddress());
      await failsAfter(check, "ETIMEDOUT", DEFAULT_TIME, "connect()", connect);
    },
    server: tellsCid,
  }),
];
