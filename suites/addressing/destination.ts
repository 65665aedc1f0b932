/**
 * Where connect(2) is routed, by the destination's CID and flags.
 *
 * @module
 */
import {
  type Address,
  AF_VSOCK,
  type CaseContext,
  type ConformanceCase,
  connecting,
  defineCase,
  errorsOfNobody,
  forBothTypes,
  FOREIGN_CID,
  kernel,
  localCidsOf,
  man,
  routeTo,
  SO_VM_SOCKETS_CONNECT_TIMEOUT,
  type SocketType,
  VMADDR_CID_HOST,
  VMADDR_CID_HYPERVISOR,
  VMADDR_CID_LOCAL,
  VMADDR_FLAG_TO_HOST,
} from "../../kit/mod.ts";

/** How long to wait for an answer that does not come, in milliseconds. */
const NO_ANSWER = 300;

/** Check how connect() fails where nobody listens. */
async function failsAt(type: SocketType, to: Address, { vsock, check }: CaseContext) {
  using socket = vsock.open(type);
  const expected = errorsOfNobody(vsock.machine.place(), type, to);
  if (expected.includes("ETIMEDOUT")) {
    socket.setTimeval(AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, NO_ANSWER);
  }
  const flag = to.flags === undefined ? "" : " with VMADDR_FLAG_TO_HOST";
  const what = `connect() to CID ${to.cid}${flag}`;
  await check.fails(expected, what, () => socket.connect(to));
}

/** CIDs where nobody listens on the port of the case: the kernel's own, and a foreign one. */
function destinations({ vsock }: CaseContext): Set<number> {
  const known = [VMADDR_CID_HYPERVISOR, VMADDR_CID_LOCAL, VMADDR_CID_HOST, FOREIGN_CID];
  return new Set([...known, ...localCidsOf(vsock.machine.place())])
    .difference(new Set([vsock.peerAddress().cid]));
}

const refs = [man("vsock", 7, "ENODEV"), kernel("vsock_assign_transport")];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Nobody listens. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/destination/${type}-nobody`,
      title: `a ${type} connect() that nobody answers fails as the transport to that CID requires`,
      requirement:
        "connect() to a CID where nobody listens MUST fail: with ENODEV without a transport or " +
        "guest, with ECONNRESET if it is refused, with ETIMEDOUT if nobody answers",
      refs,
      needs: connecting(type, { client: "known-place" }),
      does: {
        client:
          `connects a ${type} socket to the port at CIDs 0, 1, 2, 0xdead and its own machine's, ` +
          "except the peer's, where nobody listens, and checks for the error that the transport " +
          "to each must return",
      },
      async client(context) {
        const { port } = context.vsock.peerAddress();
        for (const cid of destinations(context)) {
          await failsAt(type, { cid, port }, context);
        }
      },
    })
  ),
  /**
   * The flag that routes a packet to the host. A machine without a device mostly answers the same if
   * the flag is ignored (docs/broken_peers.md): the difference shows for SOCK_SEQPACKET on a host
   * without a guest's driver, and in a guest with vhost_vsock that does not fall back to its host.
   */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/destination/${type}-flag-to-host`,
      title: `VMADDR_FLAG_TO_HOST routes a ${type} socket to the host, whatever the CID`,
      requirement:
        "connect() with VMADDR_FLAG_TO_HOST MUST use the guest's device for every CID that is " +
        "not local, and fail with ENODEV if there is none",
      refs: [man("vsock", 7, "VMADDR_FLAG_TO_HOST"), kernel("vsock_assign_transport")],
      needs: connecting(type, { client: "known-place" }),
      does: {
        client:
          `connects a ${type} socket with VMADDR_FLAG_TO_HOST to the peer's CID and to 0xdead, ` +
          "where nobody listens, and checks that it fails the way a guest's device or loopback " +
          "must, or else for lack of a device",
      },
      async client(context) {
        const { cid: peerCid, port } = context.vsock.peerAddress();
        for (const cid of new Set([peerCid, FOREIGN_CID])) {
          await failsAt(type, { cid, port, flags: VMADDR_FLAG_TO_HOST }, context);
        }
      },
    })
  ),
  /** A machine's own CIDs. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/destination/${type}-own-cid`,
      title: `a ${type} connection to this machine's own CID stays local`,
      requirement:
        "connect() to VMADDR_CID_LOCAL or to a guest's own CID (or a host's, if it is not a " +
        "guest) MUST reach a listener on this machine, which sees VMADDR_CID_LOCAL as the peer",
      refs: [man("vsock", 7, "Local communication"), kernel("vsock_loopback_send_pkt")],
      needs: [{ client: "known-place" }, { client: "loopback-cid" }],
      does: {
        client:
          `listens, connects a ${type} socket to each CID of its machine that loopback serves, ` +
          "and checks that accept() returns VMADDR_CID_LOCAL as the client, that both ends have " +
          "the CID, and that a byte arrives",
      },
      async client({ vsock, check }) {
        const place = vsock.machine.place();
        using listener = vsock.listening(type);
        const { port } = listener.getsockname();
        const own = localCidsOf(place).filter((cid) => routeTo(place, { cid }) === "loopback");
        for (const cid of own) {
          using socket = vsock.open(type);
          await check.succeeds(`connect() to CID ${cid}`, () => socket.connect({ cid, port }));
          check.equal(socket.getpeername().cid, cid, `getpeername() after connect() to CID ${cid}`);
          const { socket: accepted, address } = await listener.accept();
          using _accepted = accepted;
          check.equal(address.cid, VMADDR_CID_LOCAL, `the CID of the client of CID ${cid}`);
          check.equal(
            accepted.getsockname().cid,
            cid,
            `the CID of what was accepted at CID ${cid}`,
          );
          await check.sendsByte(socket);
          await check.receivesByte(accepted);
        }
      },
    })
  ),
  /** A guest's fallback. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/destination/${type}-fallback`,
      title: `net.vsock.g2h_fallback decides where a ${type} socket looks for an unknown CID`,
      requirement: "connect() to a CID of no guest of this machine MUST go to its host with " +
        "net.vsock.g2h_fallback, and fail at once without it",
      alone: "it sets net.vsock.g2h_fallback",
      refs: [kernel("vsock_assign_transport"), kernel("virtio_transport_has_remote_cid")],
      needs: connecting(type, { client: "known-place" }, { client: "g2h-fallback" }),
      does: {
        client:
          `connects a ${type} socket to CID 0xdead with net.vsock.g2h_fallback off, then on, and ` +
          "checks that it first fails for lack of a transport or a guest, then with ETIMEDOUT or " +
          "ECONNRESET at its host",
      },
      async client(context) {
        const { vsock, check } = context;
        const to = { cid: FOREIGN_CID, port: vsock.peerAddress().port };
        for (const on of [false, true]) {
          using _setting = vsock.machine.withFallback(on);
          const route = routeTo(vsock.machine.place(), to);
          check.equal(route === "to-host", on, `the route to the host with g2h_fallback=${on}`);
          await failsAt(type, to, context);
        }
      },
    })
  ),
];
