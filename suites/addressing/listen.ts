/**
 * Listeners on one of several CIDs.
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
  localCidsOf,
  man,
  routeTo,
} from "../../kit/mod.ts";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** A listener on one CID, then on each, always on the same port. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/listen/${type}-by-cid`,
      title: `a ${type} listener accepts connections to its CID, and no others`,
      requirement:
        "connect() to a CID MUST reach the listener that is bound to it and no other, and MUST " +
        "fail with ECONNRESET if there is none",
      refs: [man("vsock", 7, "svm_cid"), kernel("vsock_find_bound_socket_net")],
      needs: connecting(type, { client: "known-place" }, { server: "second-cid" }),
      does: {
        client:
          `connects a ${type} socket, checks for ECONNRESET while the server listens only on its ` +
          "other CIDs, connects again when it listens on this one, and receives a byte",
        server:
          "listens on its other CIDs, then also on the client's destination, accepts there, " +
          "checks for EAGAIN on the others until it connects to them itself over loopback, if " +
          "possible, and sends a byte",
      },
      async client({ vsock, peer, check }) {
        await peer.writeUlong(vsock.peerAddress().cid);
        await peer.expectln("ELSEWHERE");
        using refused = vsock.open(type);
        const connect = () => refused.connect(vsock.peerAddress());
        await check.fails("ECONNRESET", "connect() to a CID without a listener", connect);
        await peer.writeln("REFUSED");
        using socket = await vsock.connect(type);
        await check.receivesByte(socket);
      },
      async server({ vsock, peer, check }) {
        const { port } = vsock.localAddress();
        const addressed = Number(await peer.readUlong());
        const others = localCidsOf(vsock.machine.place()).filter((cid) => cid !== addressed);
        const elsewhere = others.map((cid) => {
          const listener = vsock.listening(type, 1, { cid, port });
          listener.setNonblocking();
          return { cid, listener };
        });
        await peer.writeln("ELSEWHERE");
        await peer.expectln("REFUSED");
        using listener = vsock.open(type);
        await check.succeeds(
          "bind() to the same port",
          () => listener.bind({ cid: addressed, port }),
        );
        listener.listen(1);
        await peer.writeln("LISTENING");
        const { socket } = await listener.accept();
        using accepted = socket;
        check.equal(accepted.getsockname().cid, addressed, "the CID of what was accepted");
        for (const { cid, listener: other } of elsewhere) {
          const what = `accept() at CID ${cid} of what was addressed to ${addressed}`;
          check.equal(errorOf(() => other.acceptHere()), "EAGAIN", what);
          if (routeTo(vsock.machine.place(), { cid }) !== "loopback") continue;
          using own = vsock.open(type);
          await check.succeeds(
            `connect() to CID ${cid} from here`,
            () => own.connect({ cid, port }),
          );
          using taken = await check.succeeds(`accept() at CID ${cid}`, () => other.acceptHere());
          check.equal(taken.getsockname().cid, cid, `the CID of what was accepted at CID ${cid}`);
        }
        await check.sendsByte(accepted);
      },
    })
  ),
];
