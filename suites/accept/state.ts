/**
 * listen(2) and accept(2) in the wrong state.
 *
 * @module
 */
import {
  type ConformanceCase,
  connecting,
  defineCase,
  forBothTypes,
  kernel,
  man,
  POLLIN,
  SHUT_RDWR,
} from "../../kit/mod.ts";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `accept/state/${type}-not-listening`,
      title: `accept() of a ${type} socket that does not listen fails with EINVAL`,
      requirement: "accept() of a socket that does not listen MUST fail with EINVAL",
      refs: [man("accept", 2, "EINVAL"), kernel("vsock_accept")],
      needs: connecting(type),
      does: {
        client:
          `checks that accept() of a ${type} socket fails with EINVAL while it is unbound, bound and ` +
          "connected, and receives a byte",
        server:
          "accepts, and checks that accept() of what it accepted fails with EINVAL; sends a byte",
      },
      async client({ vsock, check }) {
        {
          using socket = vsock.open(type);
          await check.fails("EINVAL", "accept() of an unbound socket", () => socket.acceptHere());
          socket.bind(vsock.localAddress(vsock.peerAddress().port + 1));
          await check.fails("EINVAL", "accept() of a bound socket", () => socket.acceptHere());
        }
        using socket = await vsock.connect(type);
        await check.fails("EINVAL", "accept() of a connected socket", () => socket.acceptHere());
        await check.receivesByte(socket);
      },
      async server({ vsock, check }) {
        using socket = await vsock.accept(type);
        await check.fails("EINVAL", "accept() of what was accepted", () => socket.acceptHere());
        await check.sendsByte(socket);
        await vsock.waitRemoteClose(socket);
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `accept/state/${type}-listen`,
      title: `listen() of a ${type} socket needs an address and no connection`,
      requirement: "listen() of an unbound or a connected socket MUST fail with EINVAL",
      refs: [man("listen", 2, "ERRORS"), kernel("vsock_listen")],
      needs: connecting(type),
      does: {
        client:
          `checks that listen() of a ${type} socket fails with EINVAL while it is unbound and when it is ` +
          "connected, and receives a byte",
        server:
          "accepts, checks that listen() of what it accepted fails with EINVAL, and sends a byte",
      },
      async client({ vsock, check }) {
        {
          using socket = vsock.open(type);
          await check.fails("EINVAL", "listen() of an unbound socket", () => socket.listen(1));
        }
        using socket = await vsock.connect(type);
        await check.fails("EINVAL", "listen() of a connected socket", () => socket.listen(1));
        await check.receivesByte(socket);
      },
      async server({ vsock, check }) {
        using socket = await vsock.accept(type);
        await check.fails("EINVAL", "listen() of what was accepted", () => socket.listen(1));
        await check.sendsByte(socket);
        await vsock.waitRemoteClose(socket);
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `accept/state/${type}-shutdown-of-listener`,
      title: `shutdown() of a ${type} listener changes nothing`,
      requirement: "shutdown() of a listener SHOULD fail with ENOTCONN, and the listener go on",
      refs: [man("shutdown", 2, "ENOTCONN"), kernel("vsock_shutdown")],
      needs: connecting(type),
      does: {
        client: `connects a ${type} socket, and receives a byte`,
        server:
          `waits in accept() of a ${type} listener, checks meanwhile that shutdown(SHUT_RDWR) is ` +
          "ENOTCONN, then lets the client connect, checks that accept() gives it, and sends a byte",
      },
      async client({ vsock, check }) {
        using socket = await vsock.connect(type);
        await check.receivesByte(socket);
      },
      async server({ vsock, peer, check }) {
        using listener = vsock.listening(type);
        const waiting = listener.accept();
        // How it ends is checked below, however early that is.
        waiting.catch(() => {});
        const shutdown = () => listener.shutdown(SHUT_RDWR);
        await check.fails("ENOTCONN", "shutdown() of a listener", shutdown);
        check.equal(await listener.poll(POLLIN, 0), 0, "revents of a listener afterwards");
        await peer.writeln("LISTENING");
        const { socket } = await check.succeeds("accept()", () => waiting);
        using accepted = socket;
        await check.sendsByte(accepted);
        await vsock.waitRemoteClose(accepted);
      },
    })
  ),
];
