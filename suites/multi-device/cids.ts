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
    title: "each device's CID is listed once, and the default device's is the local CID",
    requirement:
      "IOCTL_VM_SOCKETS_GET_LOCAL_CIDS MUST list the CID of each device that has a driver once, " +
      "including that of IOCTL_VM_SOCKETS_GET_LOCAL_CID",
    refs: [proposal("5/5"), kernel("vsock_dev_do_ioctl")],
    needs,
    does: {
      client:
        "checks that IOCTL_VM_SOCKETS_GET_LOCAL_CIDS lists as many different CIDs, all above 2, " +
        "as there are devices with a driver, and that the first is that of " +
        "IOCTL_VM_SOCKETS_GET_LOCAL_CID",
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
  /** A socket on each. */
  ...forBothTypes((type) =>
    defineCase({
      id: `multi-device/cids/${type}-bound-at-once`,
      title: `${type} sockets can be bound to one port on every CID at once`,
      requirement:
        "bind() to the same port on the CID of each device MUST succeed, on any other CID fail " +
        "with EADDRNOTAVAIL, and on VMADDR_CID_ANY with EADDRINUSE",
      refs: [proposal("2/5"), kernel("vsock_find_cid")],
      needs,
      does: {
        client: `binds a ${type} socket to one port on each device's CID, keeps them, and checks ` +
          "getsockname(), and that bind() to that port fails with EADDRNOTAVAIL on CID 0xdead " +
          "and with EADDRINUSE on VMADDR_CID_ANY",
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
  /** Each CID is local. */
  ...forBothTypes((type) =>
    defineCase({
      id: `multi-device/cids/${type}-stays-here`,
      title: `a ${type} connection to the CID of any local device stays local`,
      requirement: "connect() to the CID of each device MUST reach a listener on this machine",
      refs: [proposal("2/5"), kernel("vsock_loopback_send_pkt")],
      needs: [...needs, { client: "loopback-cid" }],
      does: {
        client:
          `listens, connects a ${type} socket to each device's CID, and checks that the accepted ` +
          "connection comes from VMADDR_CID_LOCAL and is on that CID, and that a byte arrives",
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
