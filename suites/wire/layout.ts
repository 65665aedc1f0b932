/**
 * Packets in any layout of descriptors, on the way out and on the way in.
 *
 * @module
 */
import { type Bytes, bytes, type ConformanceCase, kernel, spec } from "../../kit/mod.ts";
import { defineWireCase, FEATURE, type WireCase } from "../../kit/wire.ts";

const FRAMING = spec("5.10.6.4 Receive and Transmit");
const OPERATION = spec("5.10.6 Device Operation");

/** Bytes that differ from their neighbors. */
function pattern(length: number): Bytes {
  return bytes(length).map((_, i) => i * 31 + (i >> 8));
}

/** The host accepts, and must get these bytes. */
function receives(data: Bytes): NonNullable<WireCase["socket"]> {
  return async ({ vsock, peer, check }) => {
    using socket = await vsock.accept("stream");
    check.sameBytes(await check.receives(socket, data.length), data, "what came");
    await peer.writeln("RECEIVED");
  };
}

/** How a packet of 44 + 300 bytes can be cut. */
const CUTS = {
  "header-alone": { what: "header and data in a buffer each", split: [44] },
  "within-header": { what: "its header cut behind byte 1, 8 and 43", split: [1, 7, 35] },
  "behind-header": { what: "one byte of data beside its header", split: [45] },
  "byte-by-byte": { what: "its first 60 bytes in a buffer each", split: Array(60).fill(1) },
  "empty-buffers": {
    what: "empty buffers before, within and behind it",
    split: [0, 44, 0, 299, 0],
  },
} as const;

const cuts = Object.entries(CUTS).map(([claim, { what, split }]) => {
  const data = pattern(300);
  return defineWireCase({
    id: `wire/layout/${claim}`,
    title: `a packet with ${what} is one packet`,
    requirement: "a device MUST NOT depend on how a packet is cut into descriptors",
    refs: [FRAMING, OPERATION, kernel("vhost_vsock_handle_tx_kick")],
    does:
      `connects a raw guest, sends RW of 300 bytes with ${what}, and checks that recv() of the ` +
      "host gives these bytes",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      line.sends("RW", { data, layout: { split } });
      await peer.expectln("RECEIVED");
    },
    socket: receives(data),
  });
});

/** How buffers to receive into can be cut. */
const ROOMS = {
  "receive-header-alone": { what: "44 bytes and 4052 bytes", lengths: [44, 4052] },
  "receive-within-header": { what: "1, 42, 2 and 1000 bytes", lengths: [1, 42, 2, 1000] },
  "receive-byte-by-byte": { what: "60 times 1 byte", lengths: Array(60).fill(1) },
} as const;

const rooms = Object.entries(ROOMS).map(([claim, { what, lengths }]) => {
  const room = lengths.reduce((sum: number, length: number) => sum + length, 0) - 44;
  const data = pattern(2 * room);
  return defineWireCase({
    id: `wire/layout/${claim}`,
    title: `the host fills a chain of buffers of ${what}`,
    requirement: "a device MUST NOT depend on how a buffer is cut into descriptors",
    refs: [FRAMING, OPERATION, kernel("vhost_vsock_handle_tx_kick")],
    guest: { receiveBuffers: 1 },
    does:
      `connects a raw guest whose buffers are chains of ${what}, has the host send ${data.length} ` +
      `bytes, and checks that they come in two packets of ${room} bytes`,
    async raw({ guest, peer }) {
      guest.raw.queues.setOffering(false);
      const line = await guest.connect();
      guest.raw.queues.offerChain(lengths);
      guest.raw.queues.offerChain(lengths);
      await peer.writeln("SEND");
      await line.gets("RW", { data: data.subarray(0, room) });
      await line.gets("RW", { data: data.subarray(room) });
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await peer.expectln("SEND");
      await check.sends(socket, data);
      await peer.expectln("DONE");
    },
  });
});

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...cuts,
  defineWireCase({
    id: "wire/layout/indirect",
    title: "a packet in an indirect table is one packet",
    requirement: "a device MUST read indirect descriptors where they were negotiated",
    refs: [spec("5.10.6.4 Receive and Transmit"), OPERATION, kernel("vhost_vsock_handle_tx_kick")],
    guest: { features: FEATURE.version1 | FEATURE.indirect },
    does:
      "connects a raw guest, sends RW of 300 bytes in an indirect table of 4 descriptors, and " +
      "checks that recv() of the host gives these bytes",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      line.sends("RW", { data: pattern(300), layout: { split: [30, 14, 100], indirect: true } });
      await peer.expectln("RECEIVED");
    },
    socket: receives(pattern(300)),
  }),
  defineWireCase({
    id: "wire/layout/largest-packet",
    title: "a packet of 64 KiB is taken",
    requirement: "a device MUST take RW of 65536 bytes where there is credit for it",
    refs: [OPERATION, kernel("vhost_vsock_handle_tx_kick")],
    does: "connects a raw guest, sends RW of 65536 bytes, in one buffer and in 16 of 4096, and " +
      "checks that recv() of the host gives these bytes",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      line.sends("RW", { data: pattern(65536) });
      line.sends("RW", { data: pattern(65536), layout: { split: [44, ...Array(15).fill(4096)] } });
      await peer.expectln("RECEIVED");
    },
    socket: receives(bytes(131072).map((_, i) => (i % 65536) * 31 + ((i % 65536) >> 8))),
  }),
  defineWireCase({
    id: "wire/layout/small-receive-buffers",
    title: "data is cut to fit the guest's buffers",
    requirement: "a device MUST NOT write beyond a buffer, and MUST send the rest in the next ones",
    refs: [spec("5.10.6.4 Receive and Transmit"), kernel("vhost_vsock_handle_tx_kick")],
    guest: { receiveBuffer: 45, size: 128 },
    does:
      "connects a raw guest whose buffers have room for 1 byte of data each, has the host send 200 " +
      "bytes, and checks that they come byte by byte, in order",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      for (const byte of pattern(200)) await line.gets("RW", { data: Uint8Array.of(byte) });
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await check.sends(socket, pattern(200));
      await peer.expectln("DONE");
    },
  }),
  ...rooms,
];
