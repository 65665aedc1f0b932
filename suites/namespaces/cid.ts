/**
 * Guests' devices in namespaces: who may have the same CID, and who finds them. No guest runs: a
 * device that is found and has no machine behind it makes connect() fail otherwise than none.
 *
 * @module
 */
import {
  type ConformanceCase,
  defineCase,
  errorOf,
  kernel,
  type NamespaceMode,
} from "../../kit/mod.ts";

const needs = [{ client: "namespaces" }, { client: "vhost-device" }, {
  client: "known-place",
}] as const;

/** A CID that no machine of the lab has. */
const CID = 0xbeef;
const MODES: readonly NamespaceMode[] = ["global", "local"];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Two devices, one CID. */
  defineCase({
    id: "namespaces/cid/same-twice",
    title: "a CID is taken in all global namespaces, and in one local namespace",
    requirement:
      "VHOST_VSOCK_SET_GUEST_CID MUST fail with EADDRINUSE where the CID is taken in the " +
      "same namespace or both are global, and succeed where one of two namespaces is local",
    alone: "it takes the CIDs of guests",
    refs: [kernel("vhost_vsock_dev_ioctl"), kernel("vhost_vsock_get")],
    needs,
    does: {
      client:
        "gives CID 0xbeef to two vhost-vsock devices in one namespace and in two of each pair of " +
        "modes, and claims that the second one is EADDRINUSE in one namespace or two global ones, " +
        "else succeeds",
    },
    client({ vsock, check }) {
      for (const first of MODES) {
        for (const second of [...MODES, "same"] as const) {
          using one = vsock.namespace(first);
          using two = second === "same" ? undefined : vsock.namespace(second);
          using holder = one.within(() => vsock.vhost());
          using device = (two ?? one).within(() => vsock.vhost());
          holder.setGuestCid(CID);
          const code = errorOf(() => device.setGuestCid(CID));
          const isTaken = second === "same" || (first === "global" && second === "global");
          const what = `VHOST_VSOCK_SET_GUEST_CID in a ${second} namespace beside a ${first} one`;
          check.equal(code, isTaken ? "EADDRINUSE" : undefined, what);
        }
      }
    },
  }),
  /** connect() to a device from each kind of namespace. */
  defineCase({
    id: "namespaces/cid/found-from",
    title: "a guest is found from its namespace, and from every global one if it is in one",
    requirement:
      "connect() to a guest that does not run MUST fail with EHOSTUNREACH where namespaces " +
      "let it be found, and with ENODEV where they do not",
    alone: "it takes the CIDs of guests",
    refs: [kernel("vhost_transport_send_pkt"), kernel("vhost_vsock_get")],
    needs,
    does: {
      client:
        "gives CID 0xbeef to a vhost-vsock device without a guest, and claims that connect() to it " +
        "is EHOSTUNREACH from its own namespace and from a global one to a global one, else ENODEV",
    },
    async client({ vsock, check }) {
      for (const ofGuest of MODES) {
        for (const ofClient of [...MODES, "same"] as const) {
          using one = vsock.namespace(ofGuest);
          using two = ofClient === "same" ? undefined : vsock.namespace(ofClient);
          using device = one.within(() => vsock.vhost());
          device.setGuestCid(CID);
          const from = two ?? one;
          // A guest that is a host as well would go on to look at its own host.
          from.write("g2h_fallback", "0");
          using socket = from.within(() => vsock.open("stream"));
          const isFound = ofClient === "same" || (ofGuest === "global" && ofClient === "global");
          const what = `connect() from a ${ofClient} namespace to a guest of a ${ofGuest} one`;
          const connect = () => socket.connect({ cid: CID, port: vsock.localAddress().port });
          await check.fails(isFound ? "EHOSTUNREACH" : "ENODEV", what, connect);
        }
      }
    },
  }),
];
