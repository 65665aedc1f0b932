/**
 * getsockname(2) and getpeername(2) on every kind of socket.
 *
 * @module
 */
import {
  type ConformanceCase,
  connecting,
  defineCase,
  forBothTypes,
  kernel,
  LAST_RESERVED_PORT,
  localCidsOf,
  man,
  VMADDR_CID_ANY,
  VMADDR_PORT_ANY,
} from "../../kit/mod.ts";

const refs = [man("getsockname", 2, "ENOTCONN"), kernel("vsock_getname")];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Sockets without a peer. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/names/${type}-unconnected`,
      title: `an unconnected ${type} socket has the name that bind() gave it, and no peer name`,
      requirement:
        "getsockname() MUST return the bound address or VMADDR_CID_ANY and VMADDR_PORT_ANY, and " +
        "getpeername() fail with ENOTCONN, before a connection and on a listener",
      refs,
      does: {
        client: `checks that getsockname() of a ${type} socket returns VMADDR_CID_ANY and ` +
          "VMADDR_PORT_ANY while it is unbound, and its address when bound and listening, and " +
          "that getpeername() fails with ENOTCONN",
      },
      async client({ vsock, check }) {
        using socket = vsock.open(type);
        const unbound = { cid: VMADDR_CID_ANY, port: VMADDR_PORT_ANY, flags: 0 };
        const bound = { ...vsock.localAddress(), flags: 0 };
        const kinds = [
          ["an unbound socket", () => {}, unbound],
          ["a bound socket", () => socket.bind(bound), bound],
          ["a listener", () => socket.listen(1), bound],
        ] as const;
        for (const [what, prepare, name] of kinds) {
          prepare();
          check.equal(socket.getsockname(), name, `getsockname() of ${what}`);
          const peerName = () => socket.getpeername();
          await check.fails("ENOTCONN", `getpeername() of ${what}`, peerName);
        }
      },
    })
  ),
  /** Both ends of a connection. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/names/${type}-connected`,
      title: `both ends of a ${type} connection agree on their names`,
      requirement:
        "accept(), getsockname() and getpeername() MUST return the addresses that connect() used",
      refs: [...refs, man("accept", 2, "DESCRIPTION"), kernel("virtio_transport_recv_listen")],
      needs: connecting(type, "known-place"),
      does: {
        client: `connects a ${type} socket, checks that getsockname() returns a local CID or ` +
          "VMADDR_CID_ANY, and a port above 1023, and that getpeername() returns the " +
          "destination, and tells the server its port",
        server: `accepts a ${type} connection, checks that accept() and getpeername() return the ` +
          "client's address and getsockname() the destination, and that the listener is still " +
          "bound to VMADDR_CID_ANY",
      },
      async client({ vsock, peer, check }) {
        await peer.writeUlong(vsock.peerAddress().cid);
        using socket = await vsock.connect(type);
        const { cid, port } = socket.getsockname();
        const own = [VMADDR_CID_ANY, ...localCidsOf(vsock.machine.place())];
        check.that(own.includes(cid), `the client's getsockname() gives CID ${cid}`);
        check.that(port > LAST_RESERVED_PORT, `connect() bound to the reserved port ${port}`);
        const to = { ...vsock.peerAddress(), flags: 0 };
        check.equal(socket.getpeername(), to, "the client's getpeername()");
        await peer.writeUlong(port);
        await peer.expectln("DONE");
      },
      async server({ vsock, peer, check }) {
        const cid = Number(await peer.readUlong());
        using listener = vsock.listening(type);
        await peer.writeln("LISTENING");
        const { socket, address } = await listener.accept();
        using accepted = socket;
        const from = { cid: vsock.peerAddress().cid, port: Number(await peer.readUlong()) };
        check.equal({ ...address, flags: 0 }, { ...from, flags: 0 }, "the address accept() gives");
        check.equal(accepted.getpeername(), address, "getpeername() of what was accepted");
        const name = accepted.getsockname();
        const at = { cid, port: vsock.localAddress().port, flags: 0 };
        check.equal(name, at, "getsockname() of what was accepted");
        check.equal(listener.getsockname().cid, VMADDR_CID_ANY, "the listener's CID afterwards");
        await peer.writeln("DONE");
      },
    })
  ),
];
