/**
 * Connecting: refused when nobody listens, and a hundred connections in parallel.
 *
 * @module
 */
import {
  type ConformanceCase,
  defineCase,
  kernel,
  man,
  type Socket,
  spec,
  SysError,
  timedSleep,
  upstream,
} from "../../kit/mod.ts";

/** The most that VMCI supports at once with its default buffers. */
const CONNECTIONS = 100;

/** How soon a closed socket's port must be free, in milliseconds: before VSOCK_CLOSE_TIMEOUT, 8 s. */
const RELEASE_TIME = 5000;

/**
 * Binds as soon as the port is free. It is released by the peer's answer to the shutdown, for which
 * close() does not wait, and the peer's next control line may arrive before that answer.
 */
async function onceFree(bind: () => void): Promise<void> {
  const latest = performance.now() + RELEASE_TIME;
  for (;;) {
    try {
      return bind();
    } catch (error) {
      const isHeld = error instanceof SysError && error.code === "EADDRINUSE";
      if (!isHeld || performance.now() > latest) throw error;
      await timedSleep(1);
    }
  }
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** The port is unused. */
  defineCase({
    id: "stream/connect/refused-without-socket",
    title: "connect() to an unused port is reset",
    requirement: "connect() to a port without a socket MUST fail with ECONNRESET",
    refs: [
      upstream("SOCK_STREAM connection reset"),
      spec("5.10.6.5 Stream Sockets"),
      kernel("virtio_transport_reset_no_sock"),
    ],
    does: {
      client:
        "checks that connect() fails with ECONNRESET on a port where the server has no socket",
    },
    async client({ vsock, check }) {
      using socket = vsock.open("stream");
      const connect = () => socket.connect(vsock.peerAddress());
      await check.fails("ECONNRESET", "connect() without a listener", connect);
    },
  }),
  /** The port is bound, but nobody listens. */
  defineCase({
    id: "stream/connect/refused-by-bound-socket",
    title: "connect() to a socket that is bound but not listening is reset",
    requirement: "connect() to a bound socket that is not listening MUST fail with ECONNRESET",
    refs: [
      upstream("SOCK_STREAM bind only"),
      man("listen", 2, "DESCRIPTION"),
      kernel("virtio_transport_recv_pkt"),
    ],
    does: {
      client: "checks that connect() fails with ECONNRESET once the server has bound the port",
      server: "binds a socket without listening, and keeps it until the client has been refused",
    },
    async client({ vsock, peer, check }) {
      await peer.expectln("BIND");
      using socket = vsock.open("stream");
      const connect = () => socket.connect(vsock.peerAddress());
      await check.fails("ECONNRESET", "connect() to a bound socket", connect);
      await peer.writeln("DONE");
    },
    async server({ vsock, peer }) {
      using _socket = vsock.bound("stream");
      await peer.writeln("BIND");
      await peer.expectln("DONE");
    },
  }),
  /** Many connections at once, half of them used in each direction. */
  defineCase({
    id: "stream/connect/hundred-at-once",
    title: "100 simultaneous connections carry data",
    requirement: "a peer MUST be able to hold 100 connections to one port and use each of them",
    refs: [
      upstream("SOCK_STREAM multiple connections"),
      man("vsock", 7, "DESCRIPTION"),
      kernel("vsock_find_connected_socket_net"),
    ],
    timeFactor: 4,
    does: {
      client:
        "connects 100 times, keeps all connections, and then, in order, alternately sends a byte " +
        "on one and receives one on the next",
      server:
        "accepts 100 connections, each from a new listener on the same port, and then, in order, " +
        "alternately receives a byte on one and sends one on the next",
    },
    async client({ vsock, check }) {
      const sockets: Socket[] = [];
      for (let i = 0; i < CONNECTIONS; i++) sockets.push(await vsock.connect("stream"));
      for (const [i, socket] of sockets.entries()) {
        await (i % 2 === 1 ? check.receivesByte(socket) : check.sendsByte(socket));
      }
    },
    async server({ vsock, check }) {
      const sockets: Socket[] = [];
      for (let i = 0; i < CONNECTIONS; i++) sockets.push(await vsock.accept("stream"));
      for (const [i, socket] of sockets.entries()) {
        await (i % 2 === 1 ? check.sendsByte(socket) : check.receivesByte(socket));
      }
    },
  }),
  /** The client's own port, twice, to the same listener. */
  defineCase({
    id: "stream/connect/same-port-again",
    title: "a port can be bound and connected from again once its socket is closed",
    requirement: "bind() to the port of a closed socket and connect() from it MUST succeed",
    refs: [
      upstream(
        "SOCK_STREAM double bind connect",
        "checks that accept() reports that port; waits for the port to be released",
      ),
      man("bind", 2, "EADDRINUSE"),
      kernel("vsock_remove_sock"),
    ],
    does: {
      client:
        "binds a socket to the port after the server's, connects, and closes it, and checks that " +
        "a second socket can do the same as soon as the port is free, within 5 s",
      server:
        "listens, accepts twice, checks that the client's port is the one after its own both " +
        "times, and waits until each connection is closed",
    },
    async client({ vsock, peer, check }) {
      const { port } = vsock.peerAddress();
      for (let i = 1; i <= 2; i++) {
        await peer.expectln("LISTENING");
        using socket = vsock.open("stream");
        const bind = () => socket.bind(vsock.localAddress(port + 1));
        await check.succeeds(`bind() number ${i}`, () => onceFree(bind));
        await check.succeeds(`connect() number ${i}`, () => socket.connect(vsock.peerAddress()));
      }
    },
    async server({ vsock, peer, check }) {
      const { port } = vsock.localAddress();
      using listener = vsock.listening("stream");
      // They stay open, as in C: close() would answer the peer's shutdown with a second RST, which
      // arrives late enough to hit the next connection from the same port.
      using accepted = new DisposableStack();
      for (let i = 1; i <= 2; i++) {
        await peer.writeln("LISTENING");
        const accept = () => listener.accept();
        const { socket, address } = await check.succeeds(`accept() number ${i}`, accept);
        accepted.use(socket);
        check.equal(address.port, port + 1, `the peer's port, number ${i}`);
        await vsock.waitRemoteClose(socket);
      }
    },
  }),
  /** The same socket, first refused, then not. */
  defineCase({
    id: "stream/connect/retry-after-failure",
    title: "a socket whose connect() was reset can connect later",
    requirement: "connect() on a socket whose first connect() was refused MUST succeed",
    refs: [upstream("SOCK_STREAM retry failed connect()"), kernel("vsock_connect")],
    does: {
      client:
        "checks that connect() fails with ECONNRESET, asks the server to listen, and checks that " +
        "connect() on the same socket then succeeds",
      server: "listens when asked, accepts, and waits until the client has closed",
    },
    async client({ vsock, peer, check }) {
      using socket = vsock.open("stream");
      const connect = () => socket.connect(vsock.peerAddress());
      await check.fails("ECONNRESET", "connect() without a listener", connect);
      await peer.writeln("LISTEN");
      await peer.expectln("LISTENING");
      await check.succeeds("connect() on the same socket", connect);
    },
    async server({ vsock, peer }) {
      await peer.expectln("LISTEN");
      using socket = await vsock.accept("stream");
      await vsock.waitRemoteClose(socket);
    },
  }),
];
