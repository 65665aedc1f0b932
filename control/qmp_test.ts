import assert from "node:assert/strict";
import { FakeMonitor, type MonitorCommand } from "../tests/support/monitor.ts";
import { MonitorError, Qmp } from "./qmp.ts";

/** Two devices, of which the second is a vsock device, as QEMU answers. */
const qemu = ({ execute, arguments: { path, property, id } }: MonitorCommand): unknown[] => {
  switch (execute) {
    case "qom-list":
      return [{ return: [{ name: "port5" }, { name: "vsock5" }] }];
    case "qom-get":
      if (path !== "/machine/peripheral/vsock5") return [{ error: { class: "x", desc: "no" } }];
      return [{ return: property === "guest-cid" ? 5 : "/machine/peripheral/port5/port5" }];
    case "device_del":
      return [
        { event: "DEVICE_DELETED", data: { path: "/machine/peripheral/other" } },
        { return: {} },
        { event: "DEVICE_DELETED", data: { device: id } },
      ];
    default:
      return [{ error: { class: "x", desc: `no ${execute}` } }];
  }
};

Deno.test("Qmp finds a device by its CID, and unplugs it", async () => {
  using monitor = new FakeMonitor(qemu);
  using qmp = await Qmp.connect(monitor.path);
  const device = await qmp.findDevice(5);
  assert.deepEqual(device, { id: "vsock5", cid: 5, bus: "port5" });
  await qmp.unplug(device);
  await assert.rejects(qmp.plug(device), new MonitorError("device_add: no device_add"));
  await assert.rejects(qmp.findDevice(6), /has no vsock device with the CID 6/);
});

Deno.test("Qmp waits no longer for an answer where events keep coming", async () => {
  using monitor = new FakeMonitor(function* () {
    for (;;) yield { event: "RTC_CHANGE", data: {} };
  });
  using qmp = await Qmp.connect(monitor.path, 300);
  await assert.rejects(qmp.execute("query-status"), {
    name: "SilentPeerError",
    message: "query-status: the monitor had not answered after 0.3 s",
  });
});
