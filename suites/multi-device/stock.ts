/**
 * Several devices on a kernel that supports one.
 *
 * @module
 */
import {
  bindDevice,
  type ConformanceCase,
  defineCase,
  kernel,
  VMADDR_PORT_ANY,
} from "../../kit/mod.ts";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** The driver is bound to the device that was found first. */
  defineCase({
    id: "multi-device/stock/second-is-busy",
    title: "a driver for one device refuses a second one with EBUSY and keeps the first",
    requirement:
      "if the driver supports one vsock device, binding another to it MUST fail with EBUSY and " +
      "leave the first one working",
    refs: [kernel("virtio_vsock_probe")],
    needs: [{ client: "unused-device" }],
    does: {
      client:
        "checks that one vsock device has the driver, that binding any other to it fails with " +
        "EBUSY and changes nothing, that bind() to the CID of /dev/vsock succeeds, and connects " +
        "and sends a byte",
      server: "accepts, and receives a byte",
    },
    async client({ vsock, check }) {
      const devices = vsock.devices();
      check.equal(devices.filter(({ bound }) => bound).length, 1, "how many devices have a driver");
      for (const { name } of devices.filter(({ bound }) => !bound)) {
        await check.fails("EBUSY", `binding ${name} to the driver`, () => bindDevice(name));
      }
      check.equal(vsock.devices(), devices, "the devices afterwards");
      using device = vsock.device();
      using socket = vsock.open("stream");
      const cid = device.localCid();
      await check.succeeds(
        `bind() to CID ${cid}`,
        () => socket.bind({ cid, port: VMADDR_PORT_ANY }),
      );
      using connection = await vsock.connect("stream");
      await check.sendsByte(connection);
    },
    async server({ vsock, check }) {
      using socket = await vsock.accept("stream");
      await check.receivesByte(socket);
    },
  }),
];
