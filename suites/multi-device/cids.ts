/**
 * The CIDs of a guest with several devices.
 *
 * @module
 */
import {
  type ConformanceCase,
  defineCase,
  errorOf,
  forBothTypes,
  FOREIGN_CID,
  kernel,
  proposal,
  VMADDR_CID_ANY,
  VMADDR_CID_HOST,
  VMADDR_CID_LOCAL,
} from "../../kit/mod.ts";

const needs = [{ client: "several-devices" }] as const;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** IOCTL_VM_SOCKETS_GET_LOCAL_CIDS. */
  defineCase({
    id: "multi-device/cids/listed-once",
    title: "each device's CID is listed once, and the default one's is the local CID",
    requirement:
      "IOCTL_VM_SOCKETS_GET_LOCAL_CIDS MUST list the CID of each device that has a driver " +
      "once, IOCTL_VM_SOCKETS_GET_LOCAL_CID's among them",
    refs: [proposal("5/5"), kernel("vsock_dev_do_ioctl")],
    needs,
    does: {
      client:
        "claims that IOCTL_VM_SOCKETS_GET_LOCAL_CIDS lists as many different CIDs, all above 2, as " +
        "it has devices with a driver, the first that of IOCTL_VM_SOCKETS_GET_LOCAL_CID",
    },
    async client({ vsock, check }) {
      using device = vsock.device();
      const cids = await check.succeeds("GET_LOCAL_CIDS", () => device.localCids());
      check.equal(new Set(cids).size, cids.length, `how many of the CIDs ${cids.join()} differ`);
      const used = vsock.devices().filter(({ bound }) => bound).length;
      check.equal(cids.length, used, "how many CIDs are listed");
      check.that(cids.every((cid) => cid > VMADDR_CID_HOST), `${cids.join()} has no guest's CID`);
      const own = await check.succeeds("GET_LOCAL_CID", () => device.localCid());
      check.equal(own, cids[0], "GET_LOCAL_CID, which is to be the default device's");
    },
  }),
  /** A socket at each. */
  ...forBothTypes((type) =>
    defineCase({
      id: `multi-device/cids/${type}-bound-at-once`,
      title: `${type} sockets can be bound to one port at each CID at once`,
      requirement:
        "bind() to the same port at the CID of each device MUST succeed, at any other CID " +
        "fail with EADDRNOTAVAIL, and at VMADDR_CID_ANY with EADDRINUSE",
      refs: [proposal("2/5"), kernel("vsock_find_cid")],
      needs,
      does: {
        client:
          `binds a ${type} socket to one port at each device's CID and keeps them, and claims ` +
          "getsockname(), and that bind() to that port at CID 0xdead is EADDRNOTAVAIL, at " +
          "VMADDR_CID_ANY EADDRINUSE",
      },
      async client({ vsock, check }) {
        const { port } = vsock.localAddress();
        for (const cid of vsock.deviceCids()) {
          const socket = vsock.open(type);
          await check.succeeds(`bind() to CID ${cid}`, () => socket.bind({ cid, port }));
          check.equal(socket.getsockname(), { cid, port, flags: 0 }, "getsockname()");
        }
        const [first, second] = [FOREIGN_CID, VMADDR_CID_ANY].map((cid) => {
          using socket = vsock.open(type);
          return errorOf(() => socket.bind({ cid, port }));
        });
        check.equal(first, "EADDRNOTAVAIL", `bind() to CID ${FOREIGN_CID}`);
        check.equal(second, "EADDRINUSE", "bind() to VMADDR_CID_ANY behind those");
      },
    })
  ),
  /** Each is this machine's own. */
  ...forBothTypes((type) =>
    defineCase({
      id: `multi-device/cids/${type}-stays-here`,
      title: `a ${type} connection to the CID of any device of this machine stays on it`,
      requirement: "connect() to the CID of each device MUST reach a listener of this machine",
      refs: [proposal("2/5"), kernel("vsock_loopback_send_pkt")],
      needs: [...needs, { client: "loopback-cid" }],
      does: {
        client:
          `listens, connects a ${type} socket to each device's CID, and claims that what accept() ` +
          "gives comes from VMADDR_CID_LOCAL and is at that CID, and that a byte arrives",
      },
      async client({ vsock, check }) {
        using listener = vsock.listening(type);
        const { port } = listener.getsockname();
        for (const cid of vsock.deviceCids()) {
          using socket = vsock.open(type);
          await check.succeeds(`connect() to CID ${cid}`, () => socket.connect({ cid, port }));
          const { socket: accepted, address } = await listener.accept();
          using _accepted = accepted;
          check.equal(address.cid, VMADDR_CID_LOCAL, `the CID of the client of CID ${cid}`);
          check.equal(accepted.getsockname().cid, cid, `the CID of what was accepted at ${cid}`);
          await check.sendsByte(socket);
          await check.receivesByte(accepted);
        }
      },
    })
  ),
];
