/**
 * /dev/vhost-vsock as a VMM uses it: CIDs, features, and guests that do not run or end.
 *
 * @module
 */
import {
  bytes,
  type ConformanceCase,
  errorOf,
  kernel,
  POLLERR,
  POLLIN,
  POLLRDHUP,
  SO_ERROR,
  SOL_SOCKET,
  spec,
} from "../../kit/mod.ts";
import { defineWireCase, FEATURE } from "../../kit/wire.ts";

const CONFIG = spec("5.10.4 Device configuration layout");
const FEATURES = spec("5.10.3 Feature bits");

/** CIDs that no guest may have. */
const RESERVED = [0n, 1n, 2n, 0xffff_ffffn, 1n << 32n, (1n << 32n) + 77n, (1n << 64n) - 1n];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineWireCase({
    id: "wire/device/reserved-cids",
    title: "no guest gets a reserved CID",
    requirement: "guest_cid MUST NOT be a reserved CID",
    refs: [CONFIG, spec("5.10.6.4 Receive and Transmit"), kernel("vhost_vsock_dev_ioctl")],
    does:
      "asks for the CIDs 0, 1, 2, 0xffffffff, 2^32, 2^32 + 77 and 2^64 - 1 for a guest, and checks " +
      "that VHOST_VSOCK_SET_GUEST_CID fails with EINVAL, and that the guest keeps its CID",
    async raw({ guest, check }) {
      for (const cid of RESERVED) {
        const set = () => guest.raw.device.setGuestCid(cid);
        await check.fails("EINVAL", `VHOST_VSOCK_SET_GUEST_CID of ${cid}`, set);
      }
      await guest.settle();
    },
  }),
  defineWireCase({
    id: "wire/device/cid-is-one-guests",
    title: "a CID is one guest's until that ends",
    requirement: "guest_cid MUST identify the device as long as it lives",
    refs: [CONFIG, kernel("vhost_vsock_dev_ioctl")],
    does: "asks for the CID of a raw guest for another device, and checks that this fails with " +
      "EADDRINUSE, that a CID beside it is given, that the first can be set again, and that it is free " +
      "after its guest's end",
    async raw({ guest, peer, check }) {
      await peer.writeln(`${guest.cid}`);
      await peer.expectln("TRIED");
      guest.raw.device.setGuestCid(guest.cid);
      await guest.settle();
      guest[Symbol.dispose]();
      await peer.writeln("CLOSED");
      await peer.expectln("DONE");
      check.that(true, "the guest has ended");
    },
    async socket({ vsock, peer, check }) {
      const { cid } = vsock.peerAddress();
      await peer.expectln(`${cid}`);
      using device = vsock.vhost();
      const set = () => device.setGuestCid(cid);
      await check.fails("EADDRINUSE", "VHOST_VSOCK_SET_GUEST_CID of a guest's", set);
      await check.succeeds(
        "VHOST_VSOCK_SET_GUEST_CID",
        () => device.setGuestCid(cid + 0x1000_0000),
      );
      await peer.writeln("TRIED");
      await peer.expectln("CLOSED");
      await check.succeeds("VHOST_VSOCK_SET_GUEST_CID after its end", set);
      await peer.writeln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/device/features",
    title: "SEQPACKET is offered, and no feature is taken that was not",
    requirement: "a device MUST NOT take a feature that it does not offer",
    refs: [FEATURES, kernel("vhost_vsock_dev_ioctl")],
    does:
      "reads the features of a device, and checks that VERSION_1 and SEQPACKET are among them, and " +
      "that VHOST_SET_FEATURES fails with EOPNOTSUPP for each of the bits 3, 40 and 63",
    async raw({ guest, check }) {
      const { device } = guest.raw;
      const features = device.getFeatures();
      const wanted = FEATURE.version1 | FEATURE.seqpacket;
      check.equal(features & wanted, wanted, "VERSION_1 and SEQPACKET");
      for (const bit of [3n, 40n, 63n]) {
        if (features & 1n << bit) continue;
        const set = () => device.setFeatures(FEATURE.version1 | 1n << bit);
        await check.fails("EOPNOTSUPP", `VHOST_SET_FEATURES with bit ${bit}`, set);
      }
    },
  }),
  defineWireCase({
    id: "wire/device/seqpacket-not-negotiated",
    title: "a host does not connect a SEQPACKET socket to a guest without that feature",
    requirement: "a host MUST NOT send packets of a type that was not negotiated",
    refs: [FEATURES, kernel("vhost_vsock_dev_ioctl")],
    guest: { features: FEATURE.version1 },
    does:
      "checks that connect() of a SEQPACKET socket to a raw guest without that feature fails with " +
      "ESOCKTNOSUPPORT, and that a stream is connected",
    async raw({ guest }) {
      await guest.accept("stream");
    },
    async socket({ vsock, check }) {
      using socket = vsock.open("seqpacket");
      const connect = () => socket.connect(vsock.peerAddress());
      await check.fails("ESOCKTNOSUPPORT", "connect() of a SEQPACKET socket", connect);
      await check.succeeds("connect() of a stream", () => vsock.connect("stream"));
    },
  }),
  defineWireCase({
    id: "wire/device/not-running",
    title: "connect() to a guest whose device does not run fails",
    requirement: "connect() to a guest that cannot answer MUST fail, at once or after its time",
    refs: [spec("5.10.6.5 Stream Sockets"), kernel("vhost_vsock_dev_ioctl")],
    guest: { running: false },
    does:
      "checks that connect() to a raw guest whose device does not run fails with EHOSTUNREACH or " +
      "ETIMEDOUT, and that it succeeds once it runs and answers",
    async raw({ guest, peer }) {
      await peer.expectln("TRIED");
      guest.raw.device.setRunning(true);
      // What was sent before to a device that did not run may come first.
      const line = await guest.requested();
      line.sends("RESPONSE");
      await peer.expectln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = vsock.open("stream");
      const connect = () => socket.connect(vsock.peerAddress());
      await check.fails(["EHOSTUNREACH", "ETIMEDOUT"], "connect()", connect);
      await peer.writeln("TRIED");
      await check.succeeds("connect() to a guest that runs", () => vsock.connect("stream"));
      await peer.writeln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/device/vmm-ends",
    title: "connections of a guest whose VMM ends are reset",
    requirement:
      "a host MUST end the connections of a guest that is gone, and keep what it has read",
    refs: [spec("5.10.6.5 Stream Sockets"), kernel("vhost_vsock_dev_ioctl")],
    does:
      "connects a raw guest, sends 5 bytes, closes its device, and checks that the host sees IN, " +
      "RDHUP and ERR, reads 5 bytes and then fails with ECONNRESET, and that a new connect() fails",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      line.sends("RW", { data: 5 });
      await guest.settle();
      guest[Symbol.dispose]();
      await peer.writeln("CLOSED");
      await peer.expectln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await peer.expectln("CLOSED");
      const wanted = POLLIN | POLLRDHUP | POLLERR;
      const events = await socket.poll(wanted, check.patience);
      check.equal(events & wanted, wanted, "poll() after the guest's end");
      check.equal(await socket.recv(bytes(9)), 5, "recv() after the guest's end");
      await check.fails("ECONNRESET", "recv() after that", () => socket.recv(bytes(9)));
      check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 104, "SO_ERROR");
      await check.fails("EPIPE", "send()", () => socket.send(bytes(1)));
      using next = vsock.open("stream");
      // A host that is a guest as well may look for the CID at its own host.
      const gone = ["ENODEV", "EHOSTUNREACH", "ECONNRESET", "ETIMEDOUT"];
      await check.fails(gone, "connect()", () => next.connect(vsock.peerAddress()));
      await peer.writeln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/device/runs-only-when-set-up",
    title: "a device without queues does not run",
    requirement: "a device MUST NOT be used before its queues are set up",
    refs: [spec("5.10.5 Device Initialization"), kernel("vhost_vsock_dev_ioctl")],
    does:
      "opens devices without an owner and without queues, and checks that VHOST_VSOCK_SET_RUNNING " +
      "fails with EPERM for the first and EFAULT for the second",
    async raw() {},
    async socket({ vsock, check }) {
      using device = vsock.vhost();
      check.equal(errorOf(() => device.setRunning(true)), "EPERM", "the start without an owner");
      device.setOwner();
      check.equal(errorOf(() => device.setRunning(true)), "EFAULT", "the start without queues");
      await Promise.resolve();
    },
  }),
];
