/**
 * connect(2) on a socket that does not block: how it begins, ends and tells of it.
 *
 * @module
 */
import {
  AF_VSOCK,
  type CaseContext,
  type ConformanceCase,
  connecting,
  connectPatiently,
  defineCase,
  errorOf,
  forBothTypes,
  kernel,
  man,
  POLLERR,
  POLLIN,
  POLLOUT,
  SO_ERROR,
  SO_VM_SOCKETS_CONNECT_TIMEOUT,
  type Socket,
  SOL_SOCKET,
  timedSleep,
} from "../../kit/mod.ts";
import { returnByte } from "../_shared/return_byte.ts";

/** Begins to connect without waiting, and checks that it says so. */
async function begins({ vsock, check }: CaseContext, socket: Socket): Promise<void> {
  socket.setNonblocking();
  const connect = () => socket.connectHere(vsock.peerAddress());
  await check.fails("EINPROGRESS", "connect() that does not wait", connect);
}

/** Claims what SO_ERROR is, and 0 when it was read. */
async function errorOnce({ check }: CaseContext, socket: Socket, errno: number): Promise<void> {
  const read = () => socket.getInt(SOL_SOCKET, SO_ERROR);
  check.equal(await check.succeeds("SO_ERROR", read), errno, "SO_ERROR");
  check.equal(await check.succeeds("SO_ERROR", read), 0, "SO_ERROR when it was read once");
}

/** How long a connect() may take whose time must end no later one, in milliseconds. */
const TIME = 1000;
/** ECONNRESET as SO_ERROR gives it. */
const RESET = 104;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/nonblocking/${type}-completes`,
      title: `a ${type} connect() that does not wait completes, and poll() tells`,
      requirement:
        "connect() that does not wait MUST fail with EINPROGRESS; then poll() MUST tell POLLOUT, SO_ERROR " +
        "MUST be 0, and connect() EISCONN",
      refs: [man("connect", 2, "EINPROGRESS"), kernel("vsock_connect")],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket that does not block, checks EINPROGRESS, then POLLOUT alone, ` +
          "SO_ERROR 0, EISCONN for another connect(), and sends and receives a byte",
        server: "accepts, receives a byte, sends one, and waits until the client has closed",
      },
      async client(context) {
        const { vsock, peer, check } = context;
        await peer.expectln("LISTENING");
        using socket = vsock.open(type);
        connectPatiently(socket);
        await begins(context, socket);
        const events = POLLIN | POLLOUT;
        const poll = () => socket.poll(events, check.patience);
        check.equal(await check.succeeds("poll()", poll), POLLOUT, "revents when it is connected");
        await errorOnce(context, socket, 0);
        const again = () => socket.connectHere(vsock.peerAddress());
        await check.fails("EISCONN", "connect() of a connected socket", again);
        socket.setNonblocking(false);
        await check.sendsByte(socket);
        await check.receivesByte(socket);
      },
      server: (context) => returnByte(context, type),
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/nonblocking/${type}-refused`,
      title: `a ${type} connect() that does not wait tells its refusal once`,
      requirement:
        "connect() that does not wait and is refused MUST wake poll() with POLLERR, and SO_ERROR " +
        "MUST be ECONNRESET, once",
      refs: [man("connect", 2, "EINPROGRESS"), kernel("vsock_connect")],
      needs: connecting(type),
      does: {
        client: `connects a ${type} socket that does not block to a port that nobody has, checks ` +
          "EINPROGRESS, that poll() tells POLLERR and POLLOUT, and SO_ERROR ECONNRESET, then 0, and " +
          "no POLLERR after it",
      },
      async client(context) {
        const { vsock, check } = context;
        using socket = vsock.open(type);
        connectPatiently(socket);
        await begins(context, socket);
        const poll = () => socket.poll(POLLIN | POLLOUT, check.patience);
        const revents = await check.succeeds("poll()", poll);
        check.equal(revents & (POLLERR | POLLOUT), POLLERR | POLLOUT, "revents when it is refused");
        await errorOnce(context, socket, RESET);
        const after = await check.succeeds("poll()", () => socket.poll(POLLIN | POLLOUT, 0));
        check.equal(after & POLLERR, 0, "POLLERR when SO_ERROR was read");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/nonblocking/${type}-joined-by-blocking`,
      title: `a ${type} connect() that waits joins one that is under way`,
      requirement: "connect() that waits MUST succeed or be EISCONN where one before it goes on",
      refs: [man("connect", 2, "EALREADY"), kernel("vsock_connect")],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket that does not block, has it block and calls connect() again at ` +
          "once, checks that this succeeds or fails with EISCONN, and sends a byte",
        server: "accepts, receives a byte, and checks that it is the only connection",
      },
      async client(context) {
        const { vsock, peer, check } = context;
        await peer.expectln("LISTENING");
        using socket = vsock.open(type);
        connectPatiently(socket);
        await begins(context, socket);
        socket.setNonblocking(false);
        const code = errorOf(() => socket.connectHere(vsock.peerAddress()));
        check.that(code === undefined || code === "EISCONN", `connect() that waits: got ${code}`);
        await check.sendsByte(socket);
        await peer.expectln("DONE");
      },
      async server({ vsock, peer, check }) {
        using listener = vsock.listening(type);
        await peer.writeln("LISTENING");
        const { socket } = await listener.accept();
        using accepted = socket;
        await check.receivesByte(accepted);
        listener.setNonblocking();
        const again = () => listener.acceptHere()[Symbol.dispose]();
        check.equal(errorOf(again), "EAGAIN", "a second accept()");
        await peer.writeln("DONE");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/nonblocking/${type}-again-after-refusal`,
      title: `a ${type} socket can connect again when a connect() that did not wait was refused`,
      requirement:
        "connect() that does not wait SHOULD begin again once SO_ERROR told that one before it was " +
        "refused",
      refs: [man("connect", 2, "EALREADY"), kernel("vsock_connect")],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket that does not block, is refused, reads SO_ERROR, asks the ` +
          "server to listen, and checks that connect() fails with EINPROGRESS, not EALREADY, and then " +
          "connected",
        server: "listens when it is asked to, and keeps the listener until the client is done",
      },
      async client(context) {
        const { vsock, peer, check } = context;
        using socket = vsock.open(type);
        connectPatiently(socket);
        socket.setNonblocking();
        errorOf(() => socket.connectHere(vsock.peerAddress()));
        await socket.poll(POLLOUT);
        socket.getInt(SOL_SOCKET, SO_ERROR);
        await peer.writeln("LISTEN");
        await peer.expectln("LISTENING");
        const again = () => socket.connectHere(vsock.peerAddress());
        const error = await check.fails("EINPROGRESS", "connect() after a refusal", again);
        if (error !== undefined) {
          await socket.poll(POLLOUT, check.patience);
          await errorOnce(context, socket, 0);
        }
        await peer.writeln("DONE");
      },
      async server({ vsock, peer }) {
        await peer.expectln("LISTEN");
        using _listener = vsock.listening(type);
        await peer.writeln("LISTENING");
        await peer.expectln("DONE");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/nonblocking/${type}-again-after-it-was-told`,
      title: `a ${type} socket can connect again when connect() has told that one was refused`,
      requirement:
        "connect() MUST begin again once connect() has told that one before it was refused, and " +
        "the time of the earlier one MUST NOT end the later",
      refs: [man("connect", 2, "EALREADY"), kernel("vsock_connect")],
      needs: connecting(type),
      does: {
        client: `connects a ${type} socket in 1 s without waiting, is refused, learns that from ` +
          "connect() that waits, connects without waiting to the server, and checks that the " +
          "connection lives when the time is over",
        server: "listens when it is asked to, accepts, and returns a byte",
      },
      async client(context) {
        const { vsock, peer, check } = context;
        using socket = vsock.open(type);
        socket.setTimeval(AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, TIME);
        const over = performance.now() + TIME;
        await begins(context, socket);
        await check.succeeds("poll()", () => socket.poll(POLLOUT, check.patience));
        socket.setNonblocking(false);
        const told = errorOf(() => socket.connectHere(vsock.peerAddress()));
        // A machine that stood still meanwhile may have let the time pass.
        const isLate = told === "ETIMEDOUT" && performance.now() > over;
        check.that(told === "ECONNRESET" || isLate, `connect() that waits, refused: got ${told}`);
        await peer.writeln("LISTEN");
        await peer.expectln("LISTENING");
        connectPatiently(socket);
        await begins(context, socket);
        await check.succeeds("poll()", () => socket.poll(POLLOUT, check.patience));
        await errorOnce(context, socket, 0);
        await timedSleep(Math.max(Math.ceil(over - performance.now()), 0));
        socket.setNonblocking(false);
        await check.sendsByte(socket);
        await check.receivesByte(socket);
      },
      async server(context) {
        await context.peer.expectln("LISTEN");
        await returnByte(context, type);
      },
    })
  ),
];
