/**
 * Which device a guest with several devices connects through.
 *
 * @module
 */
import {
  type ConformanceCase,
  connecting,
  defineCase,
  forBothTypes,
  kernel,
  proposal,
  type Socket,
  VMADDR_PORT_ANY,
} from "../../kit/mod.ts";

/** How often an unbound socket connects. */
const TIMES = 3;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Not bound. */
  ...forBothTypes((type) =>
    defineCase({
      id: `multi-device/connect/${type}-unbound-from-default`,
      title: `an unbound ${type} socket connects through the default device`,
      requirement: "connect() of an unbound socket MUST use the CID that GET_LOCAL_CID returns",
      refs: [proposal("0/5"), kernel("virtio_transport_get_local_cid")],
      needs: connecting(type, { client: "several-devices" }),
      does: {
        client: "tells the server its default device's CID, and three times connects an unbound " +
          `${type} socket and receives a byte`,
        server:
          `accepts three ${type} connections, checks that each comes from that CID, and sends a ` +
          "byte on each",
      },
      async client({ vsock, peer, check }) {
        using device = vsock.device();
        await peer.writeUlong(device.localCid());
        for (let i = 0; i < TIMES; i++) {
          using socket = await vsock.connect(type);
          await check.receivesByte(socket);
        }
      },
      async server({ vsock, peer, check }) {
        const cid = Number(await peer.readUlong());
        using listener = vsock.listening(type);
        for (let i = 0; i < TIMES; i++) {
          await peer.writeln("LISTENING");
          const { socket, address } = await listener.accept();
          using accepted = socket;
          check.equal(address.cid, cid, "the CID of the client");
          await check.sendsByte(accepted);
        }
      },
    })
  ),
  /** Bound to each. */
  ...forBothTypes((type) =>
    defineCase({
      id: `multi-device/connect/${type}-from-bound-cid`,
      title: `a bound ${type} socket connects through the device with its CID`,
      requirement:
        "connect() of a socket bound to the CID of a device MUST use that device and CID",
      refs: [proposal("2/5"), kernel("virtio_transport_send_pkt_info")],
      needs: connecting(type, { client: "several-devices" }),
      does: {
        client:
          `connects a ${type} socket bound to a device's CID, for each device in turn, tells the ` +
          "server its port, sends a byte, and receives one",
        server:
          `accepts a ${type} connection for each of the client's CIDs, checks that it comes from ` +
          "that CID and port, receives a byte, and sends one",
      },
      async client({ vsock, peer, check }) {
        const cids = vsock.deviceCids();
        await peer.writeNumbers(cids);
        for (const cid of cids) {
          await peer.expectln("LISTENING");
          using socket = vsock.bound(type, { cid, port: VMADDR_PORT_ANY });
          const connect = () => socket.connect(vsock.peerAddress());
          await check.succeeds(`connect() from CID ${cid}`, connect);
          await peer.writeUlong(socket.getsockname().port);
          await check.sendsByte(socket);
          await check.receivesByte(socket);
        }
      },
      async server({ vsock, peer, check }) {
        const cids = await peer.readNumbers();
        using listener = vsock.listening(type);
        for (const cid of cids) {
          await peer.writeln("LISTENING");
          const { socket, address } = await listener.accept();
          using accepted = socket;
          const from = { cid, port: Number(await peer.readUlong()), flags: 0 };
          check.equal({ ...address, flags: 0 }, from, `the address of the client at CID ${cid}`);
          await check.receivesByte(accepted);
          await check.sendsByte(accepted);
        }
      },
    })
  ),
  /** The same port on each CID, to the same peer: only the CID distinguishes these. */
  ...forBothTypes((type) =>
    defineCase({
      id: `multi-device/connect/${type}-same-port-at-each`,
      title: `${type} connections from one port on each CID to one peer do not mix`,
      requirement: "connections that differ only in their local CID MUST each carry their own data",
      refs: [proposal("2/5"), kernel("vsock_find_connected_socket")],
      needs: connecting(type, { client: "several-devices" }),
      does: {
        client:
          `connects ${type} sockets bound to one port on each device's CID, keeps them all, and ` +
          "checks that each receives the byte for its CID",
        server:
          `accepts a ${type} connection for each of the client's CIDs, and sends on each the low ` +
          "byte of the CID that accept() returns",
      },
      async client({ vsock, peer, check }) {
        const cids = vsock.deviceCids();
        const { port } = vsock.peerAddress();
        await peer.writeNumbers(cids);
        await peer.expectln("LISTENING");
        const sockets: (readonly [number, Socket])[] = [];
        for (const cid of cids) {
          const socket = vsock.bound(type, { cid, port: port + 1 });
          await check.succeeds(
            `connect() from CID ${cid}`,
            () => socket.connect(vsock.peerAddress()),
          );
          sockets.push([cid, socket]);
        }
        await peer.writeln("CONNECTED");
        for (const [cid, socket] of sockets) {
          const got = await check.receives(socket, 1);
          check.equal(got[0], cid % 256, `what came for CID ${cid}`);
        }
        await peer.writeln("DONE");
      },
      async server({ vsock, peer, check }) {
        const cids = await peer.readNumbers();
        using listener = vsock.listening(type, cids.length);
        await peer.writeln("LISTENING");
        await peer.expectln("CONNECTED");
        using accepted = new DisposableStack();
        for (const _ of cids) {
          const { socket, address } = await listener.accept();
          accepted.use(socket);
          await check.sends(socket, Uint8Array.of(address.cid % 256));
        }
        await peer.expectln("DONE");
      },
    })
  ),
];
