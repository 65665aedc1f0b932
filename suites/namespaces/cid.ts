/**
 * Guests' devices in namespaces: which may have the same CID, and from where they are found. No guest
 * runs: connect() fails differently for a device without a machine behind it and for no device.
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

/** A CID of no machine in the lab. */
const CID = 0xbeef;
const MODES: readonly NamespaceMode[] = ["global", "local"];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Two devices, one CID. */
  defineCase({
    id: "namespaces/cid/same-twice",
    title: "a CID is taken in all global namespaces, or in one local namespace",
    requirement:
      "VHOST_VSOCK_SET_GUEST_CID MUST fail with EADDRINUSE if the CID is taken in the same " +
      "namespace or both are global, and succeed if one of two namespaces is local",
    alone: "it takes the CIDs of guests",
    refs: [kernel("vhost_vsock_dev_ioctl"), kernel("vhost_vsock_get")],
    needs,
    does: {
      client:
        "assigns CID 0xbeef to two vhost-vsock devices in one namespace and in two of each pair " +
        "of modes, and checks that the second fails with EADDRINUSE in one namespace or two " +
        "global ones, and succeeds otherwise",
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
    title:
      "a guest is found from its own namespace, and from every global one if its own is global",
    requirement:
      "connect() to a guest that is not running MUST fail with EHOSTUNREACH if namespaces allow " +
      "it to be found, and with ENODEV if they do not",
    alone: "it takes the CIDs of guests",
    refs: [kernel("vhost_transport_send_pkt"), kernel("vhost_vsock_get")],
    needs,
    does: {
      client:
        "assigns CID 0xbeef to a vhost-vsock device without a guest, and checks that connect() " +
        "to it fails with EHOSTUNREACH from its own namespace and from a global one to a global " +
        "one, and with ENODEV otherwise",
    },
    async client({ vsock, check }) {
      for (const ofGuest of MODES) {
        for (const ofClient of [...MODES, "same"] as const) {
          using one = vsock.namespace(ofGuest);
          using two = ofClient === "same" ? undefined : vsock.namespace(ofClient);
          using device = one.within(() => vsock.vhost());
          device.setGuestCid(CID);
          const from = two ?? one;
          // A guest that is also a host would continue its search at its own host.
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
