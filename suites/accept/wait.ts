/**
 * accept(2) that waits, or does not.
 *
 * @module
 */
import {
  type ConformanceCase,
  connecting,
  defineCase,
  errorOf,
  failsAfter,
  FD_CLOEXEC,
  forBothTypes,
  kernel,
  man,
  POLLIN,
  SO_RCVTIMEO,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from "../../kit/mod.ts";

/** For how long accept() is to wait, in milliseconds. */
const TIME = 300;
/** Flags of accept4(2), alone and together. */
const FLAGS = [0, SOCK_NONBLOCK, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `accept/wait/${type}-nonblocking`,
      title:
        `accept() of a ${type} listener that does not block fails with EAGAIN while nobody connects`,
      requirement: "accept() that does not wait MUST fail with EAGAIN where no connection is there",
      refs: [man("accept", 2, "EAGAIN"), kernel("vsock_accept")],
      needs: connecting(type),
      does: {
        client: `connects a ${type} socket when the server has been told EAGAIN`,
        server:
          `checks that accept() of a ${type} listener fails with EAGAIN, then POLLIN when the client has ` +
          "connected, one connection, and EAGAIN again",
      },
      async client({ vsock, check }) {
        using socket = await vsock.connect(type);
        await check.receivesEnd(socket);
      },
      async server({ vsock, peer, check }) {
        using listener = vsock.listening(type);
        listener.setNonblocking();
        const accept = () => listener.acceptHere();
        await check.fails("EAGAIN", "accept() before a connection", accept);
        check.equal(await listener.poll(POLLIN, 0), 0, "revents before a connection");
        await peer.writeln("LISTENING");
        check.equal(await listener.poll(POLLIN, check.patience), POLLIN, "revents with one");
        using socket = await check.succeeds("accept()", accept);
        check.equal(socket.isNonblocking(), false, "O_NONBLOCK of what was accepted");
        check.equal(errorOf(accept), "EAGAIN", "accept() after the only connection");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `accept/wait/${type}-rcvtimeo`,
      title: `SO_RCVTIMEO ends accept() of a ${type} listener`,
      requirement:
        "accept() MUST fail with EAGAIN when the listener's SO_RCVTIMEO has passed, not later",
      refs: [man("socket", 7, "SO_RCVTIMEO"), kernel("vsock_accept")],
      needs: connecting(type),
      does: {
        client: `connects a ${type} socket when the server's first accept() has timed out`,
        server:
          `sets SO_RCVTIMEO of a ${type} listener to 300 ms, checks that accept() fails with EAGAIN after ` +
          "it, and gives the client's connection when there is one",
      },
      async client({ vsock, check }) {
        using socket = await vsock.connect(type);
        await check.receivesEnd(socket);
      },
      async server({ vsock, peer, check }) {
        using listener = vsock.listening(type);
        await check.setsTimeval(listener, SOL_SOCKET, SO_RCVTIMEO, TIME);
        await failsAfter(check, "EAGAIN", TIME, "accept()", () => listener.accept());
        await peer.writeln("LISTENING");
        await listener.poll(POLLIN, check.patience);
        const { socket } = await check.succeeds("accept()", () => listener.accept());
        socket[Symbol.dispose]();
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `accept/wait/${type}-flags`,
      title: `accept4() sets the flags of the ${type} socket that it gives, and inherits none`,
      requirement:
        "accept4() MUST set O_NONBLOCK and FD_CLOEXEC as its flags say, whatever the listener has",
      refs: [man("accept", 2, "SOCK_NONBLOCK"), kernel("vsock_accept")],
      needs: connecting(type),
      does: {
        client: `connects four ${type} sockets, and waits until the server has closed each`,
        server: `accepts from a ${type} listener that does not block, with each combination of ` +
          "SOCK_NONBLOCK and SOCK_CLOEXEC, checks that the socket has just those, and EINVAL for a " +
          "flag that does not exist",
      },
      async client({ vsock, check }) {
        const sockets = await vsock.connectSeveral(type, FLAGS.length);
        for (const socket of sockets) await check.receivesEnd(socket);
      },
      async server({ vsock, peer, check }) {
        using listener = vsock.listening(type, FLAGS.length);
        listener.setNonblocking();
        const unknown = () => listener.acceptHere(FD_CLOEXEC);
        await check.fails("EINVAL", "accept4() with flag 1", unknown);
        await peer.writeln("LISTENING");
        for (const flags of FLAGS) {
          await listener.poll(POLLIN, check.patience);
          using socket = await check.succeeds("accept4()", () => listener.acceptHere(flags));
          const what = `after accept4() with 0x${flags.toString(16)}`;
          check.equal(socket.isNonblocking(), (flags & SOCK_NONBLOCK) !== 0, `O_NONBLOCK ${what}`);
          check.equal(socket.closesOnExec(), (flags & SOCK_CLOEXEC) !== 0, `FD_CLOEXEC ${what}`);
        }
      },
    })
  ),
];
