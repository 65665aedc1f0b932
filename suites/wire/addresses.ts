/**
 * Headers whose addresses or lengths cannot be: they are dropped, and do no harm.
 *
 * @module
 */
import { bytes, type ConformanceCase, kernel, spec } from "../../kit/mod.ts";
import { defineWireCase, DESC_WRITE, type WireGuest } from "../../kit/wire.ts";

const ADDRESSING = spec("5.10.6.2 Addressing");
const OPERATION = spec("5.10.6 Device Operation");

/** A host that is on its way to another guest, or to nobody. */
const FOREIGN = {
  "foreign-source": { what: "the CID of another guest as its source", with: { srcCid: 4n } },
  "hosts-source": { what: "the host's CID as its source", with: { srcCid: 2n } },
  "foreign-destination": { what: "the CID of another guest to go to", with: { dstCid: 4n } },
  "local-destination": { what: "the CID 1 to go to", with: { dstCid: 1n } },
  "any-destination": { what: "the CID 0xffffffff to go to", with: { dstCid: 0xffff_ffffn } },
} as const;

/** Check that a guest is still served. */
async function servesOn(guest: WireGuest): Promise<void> {
  const line = guest.line();
  line.sends("REQUEST");
  await line.gets("RST");
}

const foreign = Object.entries(FOREIGN).map(([claim, { what, with: fields }]) =>
  defineWireCase({
    id: `wire/addresses/${claim}`,
    title: `a packet that has ${what} is dropped`,
    requirement: "a host MUST drop a packet that is not from its guest, or not to itself",
    refs: [ADDRESSING, spec("5.10.6.4 Receive and Transmit"), kernel("vhost_vsock_handle_tx_kick")],
    does:
      `sends REQUEST from a raw guest that has ${what}, and checks that nothing comes back, and ` +
      "that a good packet is answered",
    async raw({ guest }) {
      const line = guest.line();
      line.sends("REQUEST", fields);
      await line.getsNothing();
      await servesOn(guest);
    },
  })
);

/** Bits that are reserved in CIDs. */
const upperBits = (["srcCid", "dstCid"] as const).map((field) => {
  const end = field === "srcCid" ? "source" : "destination";
  return defineWireCase({
    id: `wire/addresses/upper-bits-of-${end}`,
    title: `a packet with a ${end} of more than 32 bits is dropped`,
    requirement: "a host MUST NOT take a CID of more than 32 bits for the CID in its lower half",
    refs: [OPERATION, kernel("vhost_vsock_handle_tx_kick")],
    does: `sends REQUEST from a raw guest with bit 32, then bit 63 set in its ${end}, and checks ` +
      "that nothing comes back",
    async raw({ guest }) {
      const right = field === "srcCid" ? BigInt(guest.cid) : 2n;
      for (const bit of [32n, 63n]) {
        const line = guest.line();
        line.sends("REQUEST", { [field]: right | 1n << bit });
        await line.getsNothing();
      }
      await servesOn(guest);
    },
  });
});

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...foreign,
  ...upperBits,
  defineWireCase({
    id: "wire/addresses/short-header",
    title: "what is shorter than a header is dropped",
    requirement: "a host MUST drop a buffer that is shorter than a header, and serve the next",
    refs: [OPERATION, kernel("vhost_vsock_handle_tx_kick")],
    does:
      "sends buffers of 1, 8 and 43 bytes from a raw guest, and checks that nothing comes back " +
      "and that a good packet is answered",
    async raw({ guest }) {
      for (const length of [1, 8, 43]) guest.raw.queues.sendBytes(bytes(length).fill(1));
      await servesOn(guest);
    },
  }),
  defineWireCase({
    id: "wire/addresses/len-beyond-buffer",
    title: "a packet whose len is more than its buffer has is dropped",
    requirement: "a host MUST NOT take more bytes for data than the guest's buffer has",
    refs: [OPERATION, kernel("vhost_vsock_handle_tx_kick")],
    does:
      "connects a raw guest, sends RW with 5 bytes and a len of 6, 4096 and 0xffffffff, then 3 " +
      "bytes, and checks that recv() of the host gives these alone",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      for (const len of [6, 4096, 0xffff_ffff]) line.sends("RW", { data: bytes(5).fill(7), len });
      line.sends("RW", { data: bytes(3).fill(1) });
      await peer.expectln("RECEIVED");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      const data = await check.receives(socket, 3, 0, 100);
      check.sameBytes(data, bytes(3).fill(1), "what came");
      await peer.writeln("RECEIVED");
    },
  }),
  defineWireCase({
    id: "wire/addresses/len-short-of-buffer",
    title: "of a buffer that is longer than len says the first len bytes are data",
    requirement: "a host MUST take the first len bytes of a longer buffer, and no more",
    refs: [OPERATION, kernel("vhost_vsock_handle_tx_kick")],
    does: "connects a raw guest, sends RW whose buffer has 4096 bytes and whose len is 3, then 2 " +
      "bytes, and checks that recv() of the host gives 5 bytes, and fwd_cnt counts 5",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      line.sends("RW", { data: bytes(4096).fill(1), len: 3 });
      line.sends("RW", { data: bytes(2).fill(2) });
      await peer.expectln("RECEIVED");
      await line.getsForwarded(5);
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      const data = await check.receives(socket, 5, 0, 100);
      check.sameBytes(data, Uint8Array.of(1, 1, 1, 2, 2), "what came");
      await peer.writeln("RECEIVED");
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/addresses/buffer-to-write",
    title: "a buffer of the TX queue that is to be written is dropped",
    requirement: "a host MUST serve the TX queue on after a buffer that it could only write",
    refs: [spec("5.10.6.4 Receive and Transmit"), kernel("vhost_vsock_handle_tx_kick")],
    does: "offers a buffer to be written in the TX queue of a raw guest, and checks that a good " +
      "packet is answered afterwards",
    async raw({ guest }) {
      const { queues } = guest.raw;
      // A descriptor at the end of the table, which nothing else has taken yet.
      queues.offerDescriptor("tx", 127, { address: 0n, length: 64, flags: DESC_WRITE, next: 0 });
      await servesOn(guest);
    },
  }),
];
