/**
 * connect(2) that is refused for what the other end is.
 *
 * @module
 */
import {
  AF_VSOCK,
  type ConformanceCase,
  connecting,
  connectPatiently,
  defineCase,
  errorOf,
  forBothTypes,
  kernel,
  man,
  SO_ERROR,
  SO_VM_SOCKETS_CONNECT_TIMEOUT,
  type SocketType,
  SOL_SOCKET,
  spec,
  VMADDR_CID_ANY,
  VMADDR_CID_LOCAL,
} from "../../kit/mod.ts";

/** How long connect() waits for an answer that does not come, in milliseconds. */
const NO_ANSWER = 300;
/** What connect() to no CID may be. */
const NOWHERE = ["ENODEV", "EINVAL", "EADDRNOTAVAIL", "ENETUNREACH", "EHOSTUNREACH"].concat(
  ["ESOCKTNOSUPPORT", "ETIMEDOUT", "ECONNRESET"],
);

/** The other type. */
function otherThan(type: SocketType): SocketType {
  return type === "stream" ? "seqpacket" : "stream";
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/refused/${type}-leaves-no-error`,
      title: `a ${type} connect() that waits and fails leaves nothing in SO_ERROR`,
      requirement:
        "SO_ERROR MUST be 0 after a connect() that failed itself, and the socket be able to connect",
      refs: [man("socket", 7, "SO_ERROR"), kernel("vsock_connect")],
      needs: connecting(type),
      does: {
        client:
          `checks twice that connect() of a ${type} socket to a port that nobody has fails with ECONNRESET ` +
          "and leaves SO_ERROR 0, then asks the server to listen, and connects",
        server: "listens when it is asked to, accepts, and sends a byte",
      },
      async client({ vsock, peer, check }) {
        using socket = vsock.open(type);
        connectPatiently(socket);
        const connect = () => socket.connect(vsock.peerAddress());
        for (const what of ["connect()", "connect() once more"]) {
          await check.fails("ECONNRESET", `${what} to a port that nobody has`, connect);
          check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 0, `SO_ERROR after ${what}`);
        }
        await peer.writeln("LISTEN");
        await peer.expectln("LISTENING");
        await check.succeeds("connect() to a listener", connect);
        await check.receivesByte(socket);
      },
      async server({ vsock, peer, check }) {
        await peer.expectln("LISTEN");
        using socket = await vsock.accept(type);
        await check.sendsByte(socket);
        await vsock.waitRemoteClose(socket);
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/refused/${type}-by-other-type`,
      title: `a ${type} socket does not connect to a listener of the other type`,
      requirement:
        "connect() to a listener of another type MUST fail with ECONNRESET, and the listener go on",
      refs: [spec("5.10.6.4 Receive and Transmit"), kernel("virtio_transport_recv_pkt")],
      needs: ["seqpacket"],
      does: {
        client:
          `checks three times that connect() of a ${type} socket fails with ECONNRESET, then connects one ` +
          "of the listener's own type, and receives a byte",
        server:
          `listens, with a backlog of 1, for what is no ${type}; accepts one connection when the ` +
          "client was refused, and sends a byte",
      },
      async client({ vsock, peer, check }) {
        await peer.expectln("READY");
        for (let i = 1; i <= 3; i++) {
          using socket = vsock.open(type);
          connectPatiently(socket);
          const connect = () => socket.connect(vsock.peerAddress());
          await check.fails("ECONNRESET", `connect() number ${i} to the other type`, connect);
        }
        await peer.writeln("REFUSED");
        using socket = await vsock.connect(otherThan(type));
        await check.receivesByte(socket);
      },
      async server({ vsock, peer, check }) {
        using listener = vsock.listening(otherThan(type));
        await peer.writeln("READY");
        await peer.expectln("REFUSED");
        await peer.writeln("LISTENING");
        const { socket } = await check.succeeds("accept()", () => listener.accept());
        using accepted = socket;
        await check.sendsByte(accepted);
        await vsock.waitRemoteClose(accepted);
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/refused/${type}-at-any-cid`,
      title: `a ${type} socket does not connect to VMADDR_CID_ANY`,
      requirement: "connect() to VMADDR_CID_ANY SHOULD fail, and reach no listener of this machine",
      refs: [man("vsock", 7, "VMADDR_CID_ANY"), kernel("vsock_assign_transport")],
      needs: connecting(type, { client: "known-place" }),
      does: {
        client:
          `listens at VMADDR_CID_ANY for ${type} sockets itself, and checks that connect() to that ` +
          "CID and its port fails within 300 ms, and that accept() fails with EAGAIN",
      },
      async client({ vsock, check }) {
        const here = vsock.localAddress(vsock.peerAddress().port + 1);
        using listener = vsock.listening(type, 1, here);
        listener.setNonblocking();
        using socket = vsock.open(type);
        socket.setTimeval(AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, NO_ANSWER);
        const connect = () => socket.connect({ cid: VMADDR_CID_ANY, port: here.port });
        await check.fails(NOWHERE, "connect() to VMADDR_CID_ANY", connect);
        const accept = () => listener.acceptHere()[Symbol.dispose]();
        check.equal(errorOf(accept), "EAGAIN", "accept() afterwards");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `connect/refused/${type}-by-itself`,
      title: `a ${type} socket does not connect to itself`,
      requirement: "connect() to the socket's own address SHOULD fail with EPROTO",
      refs: [man("connect", 2, "ERRORS"), kernel("virtio_transport_recv_connecting")],
      needs: connecting(type, { client: "known-place" }, { client: "loopback-cid" }),
      does: {
        client:
          `binds a ${type} socket to VMADDR_CID_LOCAL, checks that connect() to that same address ` +
          "is EPROTO, SO_ERROR 0 then, and that the socket can connect to a listener of its own",
      },
      async client({ vsock, check }) {
        const own = { cid: VMADDR_CID_LOCAL, port: vsock.localAddress().port };
        const there = { ...own, port: own.port + 1 };
        using socket = vsock.bound(type, own);
        const connect = () => socket.connect(own);
        await check.fails("EPROTO", "connect() to the socket's own address", connect);
        check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 0, "SO_ERROR afterwards");
        using listener = vsock.listening(type, 1, there);
        await check.succeeds("connect() to another", () => socket.connect(there));
        using _accepted = listener.acceptHere();
      },
    })
  ),
];
