/**
 * /dev/vsock as a file; `addressing/device` has its ioctls.
 *
 * @module
 */
import {
  bytes,
  type ConformanceCase,
  defineCase,
  IOCTL_VM_SOCKETS_GET_LOCAL_CID,
  kernel,
  man,
} from "../../kit/mod.ts";

/** Requests beside the one that there is, in number, in type and in direction. */
const WRONG_REQUESTS = [0x7b8, 0x7bb, 0x6b9, 0x8b9, 0x400407b9, 0x800407b9, 0];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineCase({
    id: "device/calls/carries-nothing",
    title: "/dev/vsock cannot be read",
    requirement: "read() of /dev/vsock MUST fail with EINVAL, and lseek() ESPIPE",
    refs: [man("read", 2, "EINVAL"), kernel("vsock_dev_ioctl")],
    does: {
      client:
        "checks that read() of /dev/vsock fails with EINVAL and lseek() ESPIPE, and that it " +
        "names the CID afterwards that it named before",
    },
    async client({ vsock, check }) {
      using device = vsock.device();
      const before = device.localCid();
      await check.fails("EINVAL", "read() of /dev/vsock", () => device.read(bytes(16)));
      await check.fails("ESPIPE", "lseek() of /dev/vsock", () => device.seek(0));
      check.equal(device.localCid(), before, "the CID that /dev/vsock names");
    },
  }),
  defineCase({
    id: "device/calls/requests-are-exact",
    title: "/dev/vsock knows its request by its whole number",
    requirement:
      "ioctl() of /dev/vsock MUST fail with ENOTTY for a request that differs in number, type or direction",
    refs: [man("ioctl", 2, "ENOTTY"), kernel("vsock_dev_ioctl")],
    does: {
      client: "checks that ioctl() of /dev/vsock fails with ENOTTY for 7 requests beside " +
        "IOCTL_VM_SOCKETS_GET_LOCAL_CID (0x7b9), and that two opens of it name the same CID",
    },
    async client({ vsock, check }) {
      using device = vsock.device();
      using other = vsock.device();
      check.equal(other.localCid(), device.localCid(), "the CID by another open()");
      for (const request of WRONG_REQUESTS) {
        const what = `ioctl(0x${request.toString(16)}), not 0x` +
          IOCTL_VM_SOCKETS_GET_LOCAL_CID.toString(16);
        await check.fails("ENOTTY", what, () => device.ioctlInt(request));
      }
    },
  }),
];
