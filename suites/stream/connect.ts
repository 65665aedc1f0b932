/**
 * Connecting: refused where nobody listens, and a hundred connections side by side.
 *
 * @module
 */
import { defineCase, kernel, man, type Socket, spec, upstream } from "../kit.ts";

/** Nobody has the port. */
export const refusedWithoutSocket = defineCase({
  id: "stream/connect/refused-without-socket",
  title: "connect() to a port that nobody has is reset",
  requirement: "connect() to a port without a socket MUST fail with ECONNRESET",
  refs: [
    upstream("SOCK_STREAM connection reset"),
    spec("5.10.6.5 Stream Sockets"),
    kernel("virtio_transport_recv_connecting"),
  ],
  async client({ vsock, check }) {
    using socket = vsock.open("stream");
    const connect = () => socket.connect(vsock.peerAddress());
    await check.fails("ECONNRESET", "connect() without a listener", connect);
  },
});

/** Somebody has the port but does not listen. */
export const refusedByBoundSocket = defineCase({
  id: "stream/connect/refused-by-bound-socket",
  title: "connect() to a socket that is bound but does not listen is reset",
  requirement: "connect() to a bound socket that does not listen MUST fail with ECONNRESET",
  refs: [
    upstream("SOCK_STREAM bind only"),
    man("listen", 2, "DESCRIPTION"),
    kernel("virtio_transport_recv_pkt"),
  ],
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
});

/** As many as VMCI can have at once with its default buffers. */
const CONNECTIONS = 100;

/** Many connections at once, half of them used in either direction. */
export const manyConnections = defineCase({
  id: "stream/connect/hundred-at-once",
  title: "100 connections at once carry data",
  requirement: "a peer MUST be able to keep 100 connections to one port and use each of them",
  refs: [upstream("SOCK_STREAM multiple connections"), man("vsock", 7, "DESCRIPTION")],
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
});
