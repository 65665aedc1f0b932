/**
 * /dev/vsock.
 *
 * @module
 */
import {
  type ConformanceCase,
  defineCase,
  IOCTL_VM_SOCKETS_GET_LOCAL_CID,
  kernel,
  man,
  VMADDR_CID_HOST,
  VMADDR_CID_LOCAL,
  VMADDR_PORT_ANY,
} from "../../kit/mod.ts";

/** An ioctl of the same type that does not exist in any kernel. */
const UNKNOWN_REQUEST = 0x7ff;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** The CID by which others know this machine. */
  defineCase({
    id: "addressing/device/names-own-cid",
    title: "/dev/vsock returns the CID by which others reach this machine",
    requirement: "IOCTL_VM_SOCKETS_GET_LOCAL_CID MUST return a guest's CID, else a host's, else " +
      "VMADDR_CID_LOCAL; and bind() to it MUST succeed",
    refs: [man("vsock", 7, "IOCTL_VM_SOCKETS_GET_LOCAL_CID"), kernel("vsock_dev_ioctl")],
    needs: [{ client: "known-place" }],
    does: {
      client:
        "checks that IOCTL_VM_SOCKETS_GET_LOCAL_CID returns the CID by which the server knows it " +
        "if that is a guest's, else its device's, a host's or VMADDR_CID_LOCAL, and that bind() " +
        "to it succeeds",
      server: "tells the client which CID it is known by",
    },
    async client({ vsock, peer, check }) {
      const known = Number(await peer.readUlong());
      using device = vsock.device();
      const ioctl = () => device.localCid();
      const cid = await check.succeeds("ioctl(IOCTL_VM_SOCKETS_GET_LOCAL_CID)", ioctl);
      const { guestCid, host } = vsock.machine.place();
      // On loopback the peer is this machine, and knows it only as VMADDR_CID_LOCAL.
      const expected = known > VMADDR_CID_HOST
        ? known
        : guestCid ?? (host ? VMADDR_CID_HOST : VMADDR_CID_LOCAL);
      check.equal(cid, expected, "the CID that /dev/vsock names");
      using socket = vsock.open("stream");
      const bind = () => socket.bind({ cid, port: VMADDR_PORT_ANY });
      await check.succeeds(`bind() to CID ${cid}`, bind);
    },
    async server({ vsock, peer }) {
      await peer.writeUlong(vsock.peerAddress().cid);
    },
  }),
  /** What /dev/vsock refuses. */
  defineCase({
    id: "addressing/device/refuses-wrong-requests",
    title: "/dev/vsock refuses unknown requests and invalid memory",
    requirement:
      "ioctl() on /dev/vsock MUST fail with EFAULT for address 0, and with ENOTTY for unknown " +
      "requests",
    refs: [man("ioctl", 2, "ERRORS"), kernel("vsock_dev_ioctl")],
    does: {
      client:
        "checks that ioctl() on /dev/vsock fails with EFAULT for IOCTL_VM_SOCKETS_GET_LOCAL_CID " +
        "with address 0, and with ENOTTY for request 0x7ff",
    },
    async client({ vsock, check }) {
      using device = vsock.device();
      const nowhere = () => device.ioctlNowhere(IOCTL_VM_SOCKETS_GET_LOCAL_CID);
      await check.fails("EFAULT", "IOCTL_VM_SOCKETS_GET_LOCAL_CID at address 0", nowhere);
      const unknown = () => device.ioctlInt(UNKNOWN_REQUEST);
      await check.fails("ENOTTY", "an unknown request", unknown);
    },
  }),
];
