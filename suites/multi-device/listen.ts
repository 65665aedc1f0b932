/**
 * On which of its CIDs a guest with several devices accepts.
 *
 * @module
 */
import {
  type ConformanceCase,
  connecting,
  defineCase,
  errorOf,
  forBothTypes,
  kernel,
  proposal,
} from "../../kit/mod.ts";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** On one. */
  ...forBothTypes((type) =>
    defineCase({
      id: `multi-device/listen/${type}-at-one-cid`,
      title: `a ${type} listener on one device's CID accepts connections to that CID only`,
      requirement:
        "a listener bound to the CID of a device MUST accept connections to that CID, and " +
        "connections to another device's CID MUST fail with ECONNRESET",
      refs: [proposal("2/5"), kernel("vsock_find_bound_socket")],
      needs: connecting(type, { server: "several-devices" }),
      does: {
        client:
          `connects a ${type} socket to each of the server's CIDs while it listens on one of ` +
          "them, for each in turn, and checks for ECONNRESET except on that one, where it " +
          "receives a byte",
        server:
          `listens on each device's CID in turn, accepts one ${type} connection, checks that it ` +
          "is on that CID and that another accept() fails with EAGAIN, and sends a byte",
      },
      async client({ vsock, peer, check }) {
        const { port } = vsock.peerAddress();
        const cids = await peer.readNumbers();
        for (const listening of cids) {
          await peer.expectln("LISTENING");
          for (const cid of cids) {
            using socket = vsock.open(type);
            const connect = () => socket.connect({ cid, port });
            const what = `connect() to CID ${cid} while ${listening} listens`;
            if (cid !== listening) await check.fails("ECONNRESET", what, connect);
            else {
              await check.succeeds(what, connect);
              await check.receivesByte(socket);
            }
          }
          await peer.writeln("NEXT");
        }
      },
      async server({ vsock, peer, check }) {
        const { port } = vsock.localAddress();
        const cids = vsock.deviceCids();
        await peer.writeNumbers(cids);
        for (const cid of cids) {
          using listener = vsock.listening(type, cids.length, { cid, port });
          await peer.writeln("LISTENING");
          const { socket } = await listener.accept();
          using accepted = socket;
          check.equal(accepted.getsockname().cid, cid, "the CID of what was accepted");
          await check.sendsByte(accepted);
          await peer.expectln("NEXT");
          listener.setNonblocking();
          const more = errorOf(() => listener.acceptHere());
          check.equal(more, "EAGAIN", `accept() at CID ${cid} after its connection`);
        }
      },
    })
  ),
  /** On any. */
  ...forBothTypes((type) =>
    defineCase({
      id: `multi-device/listen/${type}-at-any-cid`,
      title: `a ${type} listener on VMADDR_CID_ANY accepts connections through each device, and ` +
        "reports which",
      requirement:
        "a listener on VMADDR_CID_ANY MUST accept connections to the CID of each device, and " +
        "getsockname() of the accepted socket MUST return that CID",
      refs: [proposal("2/5"), kernel("virtio_transport_recv_listen")],
      needs: connecting(type, { server: "several-devices" }),
      does: {
        client:
          `connects a ${type} socket to each of the server's CIDs, sends a byte, receives one, ` +
          "and checks that getpeername() returns that CID",
        server:
          `listens on VMADDR_CID_ANY, accepts a ${type} connection for each device, checks that ` +
          "getsockname() returns its CID and accept() the client's, receives a byte, and sends " +
          "one",
      },
      async client({ vsock, peer, check }) {
        const { port } = vsock.peerAddress();
        const cids = await peer.readNumbers();
        await peer.expectln("LISTENING");
        for (const cid of cids) {
          using socket = vsock.open(type);
          await check.succeeds(`connect() to CID ${cid}`, () => socket.connect({ cid, port }));
          await check.sendsByte(socket);
          await check.receivesByte(socket);
          check.equal(socket.getpeername().cid, cid, "getpeername()");
        }
      },
      async server({ vsock, peer, check }) {
        const cids = vsock.deviceCids();
        await peer.writeNumbers(cids);
        using listener = vsock.listening(type);
        await peer.writeln("LISTENING");
        for (const cid of cids) {
          const { socket, address } = await listener.accept();
          using accepted = socket;
          check.equal(accepted.getsockname().cid, cid, "the CID of what was accepted");
          check.equal(address.cid, vsock.peerAddress().cid, "the CID of the client");
          await check.receivesByte(accepted);
          await check.sendsByte(accepted);
        }
      },
    })
  ),
];
