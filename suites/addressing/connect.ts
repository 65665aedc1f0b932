/**
 * The source address of connect(2).
 *
 * @module
 */
import {
  AF_VSOCK,
  type CaseContext,
  type ConformanceCase,
  connecting,
  defineCase,
  forBothTypes,
  kernel,
  man,
  POLLIN,
  SO_VM_SOCKETS_CONNECT_TIMEOUT,
  type SocketType,
  spec,
  transportCidsOf,
} from "../../kit/mod.ts";

/** Connects from the CID by which the peer knows this side. */
async function connectFrom(
  type: SocketType,
  { vsock, peer, check }: CaseContext,
): Promise<void> {
  const { port } = vsock.peerAddress();
  const cid = Number(await peer.readUlong());
  await peer.expectln("LISTENING");
  using socket = vsock.bound(type, { cid, port: port + 1 });
  await check.succeeds(`connect() from CID ${cid}`, () => socket.connect(vsock.peerAddress()));
  check.equal(socket.getsockname(), { cid, port: port + 1, flags: 0 }, "getsockname()");
  await check.sendsByte(socket);
  await check.receivesByte(socket);
}

/** Check the connection's source address. */
async function seesFrom(type: SocketType, { vsock, peer, check }: CaseContext): Promise<void> {
  const { cid, port } = vsock.peerAddress();
  await peer.writeUlong(cid);
  using listener = vsock.listening(type);
  await peer.writeln("LISTENING");
  const { socket, address } = await listener.accept();
  using accepted = socket;
  check.equal(address.cid, cid, "the CID of the client");
  check.equal(address.port, port + 1, "the port of the client");
  await check.receivesByte(accepted);
  await check.sendsByte(accepted);
}

/** The errors of connect() if no answer can come back, or if the address does not fit. */
const NOT_FROM_THERE = ["ETIMEDOUT", "EADDRNOTAVAIL", "EINVAL", "ENODEV", "ENETUNREACH"];
/** How long to wait for an answer that does not come, in milliseconds. */
const NO_ANSWER = 500;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** From the transport's CID. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/connect/${type}-from-bound-address`,
      title: `a ${type} connection comes from the CID and port that its socket is bound to`,
      requirement: "the peer of a bound socket that connects MUST see the bound CID and port",
      refs: [man("bind", 2, "DESCRIPTION"), kernel("virtio_transport_send_pkt_info")],
      needs: connecting(type),
      does: {
        client:
          `binds a ${type} socket to the CID by which the server knows it and the port after the ` +
          "server's, connects, checks that getsockname() returns both, sends a byte, and " +
          "receives one",
        server:
          "tells the client which CID it is known by, accepts, checks that accept() returns that " +
          "CID and the port after its own, receives a byte, and sends one",
      },
      client: (context) => connectFrom(type, context),
      server: (context) => seesFrom(type, context),
    })
  ),
  /** From another CID of this machine. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/connect/${type}-from-other-cid`,
      title: `a ${type} socket cannot connect from a CID that its transport does not have`,
      requirement:
        "connect() of a socket bound to a CID of another transport MUST fail, and the peer MUST " +
        "NOT see that CID",
      refs: [spec("5.10.6.4 Receive and Transmit"), kernel("virtio_transport_send_pkt_info")],
      needs: connecting(type, { client: "second-cid" }),
      does: {
        client:
          `binds a ${type} socket to each other CID of its machine's transports, and checks that ` +
          "connect() from there fails: ETIMEDOUT after 500 ms, EADDRNOTAVAIL, EINVAL, ENODEV or " +
          "ENETUNREACH",
        server:
          "tells the client which CID it is known by, listens, and after each attempt accepts " +
          "whatever is queued and checks that getpeername() returns no CID other than that one",
      },
      async client({ vsock, peer, check }) {
        const { port } = vsock.peerAddress();
        const known = Number(await peer.readUlong());
        const others = transportCidsOf(vsock.machine.place()).filter((cid) => cid !== known);
        for (const [i, cid] of others.entries()) {
          await peer.expectln("LISTENING");
          using socket = vsock.bound(type, { cid, port: port + 1 + i });
          socket.setTimeval(AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, NO_ANSWER);
          const connect = () => socket.connect(vsock.peerAddress());
          await check.fails(NOT_FROM_THERE, `connect() from CID ${cid}`, connect);
          await peer.writeUlong(cid);
        }
        await peer.expectln("LISTENING");
        await peer.writeUlong(known);
      },
      async server({ vsock, peer, check }) {
        const { cid: known } = vsock.peerAddress();
        await peer.writeUlong(known);
        using listener = vsock.listening(type);
        listener.setNonblocking();
        for (;;) {
          await peer.writeln("LISTENING");
          const cid = Number(await peer.readUlong());
          if (cid === known) return;
          // The request itself may have arrived, before the answer could not be delivered.
          while ((await listener.poll(POLLIN, 0)) & POLLIN) {
            using socket = listener.acceptHere();
            check.equal(socket.getpeername().cid, known, `the CID of a client bound to ${cid}`);
          }
        }
      },
    })
  ),
];
