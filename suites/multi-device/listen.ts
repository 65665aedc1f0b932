/**
 * At which of its CIDs a guest with several devices accepts.
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
  /** At one. */
  ...forBothTypes((type) =>
    defineCase({
      id: `multi-device/listen/${type}-at-one-cid`,
      title: `a ${type} listener at one device's CID takes what is addressed to it alone`,
      requirement:
        "a listener that is bound to the CID of a device MUST accept what is addressed to " +
        "it, and what is addressed to another device's CID MUST fail with ECONNRESET",
      refs: [proposal("2/5"), kernel("vsock_find_bound_socket")],
      needs: connecting(type, { server: "several-devices" }),
      does: {
        client:
          `connects a ${type} socket to each of the server's CIDs while it listens at one of them, ` +
          "for each in turn, and claims ECONNRESET but at that one, where it receives a byte",
        server:
          `listens at each device's CID in turn, accepts one ${type} connection, claims that it is ` +
          "at that CID and that accept() of another is EAGAIN, and sends a byte",
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
  /** At any. */
  ...forBothTypes((type) =>
    defineCase({
      id: `multi-device/listen/${type}-at-any-cid`,
      title: `a ${type} listener at any CID takes what comes through each device, and tells which`,
      requirement:
        "a listener at VMADDR_CID_ANY MUST accept what is addressed to the CID of each " +
        "device, and getsockname() of what was accepted give that CID",
      refs: [proposal("2/5"), kernel("virtio_transport_recv_listen")],
      needs: connecting(type, { server: "several-devices" }),
      does: {
        client:
          `connects a ${type} socket to each of the server's CIDs, sends a byte, receives one, and ` +
          "claims that getpeername() gives that CID",
        server:
          `listens at VMADDR_CID_ANY, accepts a ${type} connection for each device, claims that ` +
          "getsockname() gives its CID and accept() the client's, receives a byte, and sends one",
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
