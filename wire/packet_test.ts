import assert from "node:assert/strict";
import fc from "fast-check";
import { bytes } from "../sys/structs.ts";
import {
  decodePacket,
  describePacket,
  encodeHeader,
  encodePacket,
  HEADER_SIZE,
  OP,
  type Packet,
} from "./packet.ts";

const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffffffff);
const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

/** Packets with any content of any field. */
const packets: fc.Arbitrary<Packet> = fc.record({
  ...{ srcCid: u64, dstCid: u64, srcPort: u32, dstPort: u32, len: u32, type: u16, op: u16 },
  ...{ flags: u32, bufAlloc: u32, fwdCnt: u32 },
  data: fc.uint8Array({ maxLength: 100 }).map((data) => new Uint8Array(data)),
}, { noNullPrototype: true });

Deno.test("every field of a packet is kept, known or not", () => {
  fc.assert(fc.property(packets, (packet) => {
    assert.deepEqual(decodePacket(encodePacket(packet)), packet);
  }));
});

Deno.test("any 44 bytes or more are a packet, which has the same bytes again", () => {
  const enough = fc.uint8Array({ minLength: HEADER_SIZE, maxLength: 100 });
  fc.assert(fc.property(enough, (drawn) => {
    const encoded = new Uint8Array(drawn);
    assert.deepEqual(encodePacket(decodePacket(encoded)), encoded);
  }));
});

Deno.test("fewer than 44 bytes are no packet", () => {
  fc.assert(fc.property(fc.nat(HEADER_SIZE - 1), (length) => {
    assert.throws(() => decodePacket(bytes(length)), RangeError);
  }));
});

Deno.test("a packet can be read where it lies in a larger buffer", () => {
  fc.assert(fc.property(packets, fc.nat(9), (packet, at) => {
    const encoded = encodePacket(packet);
    const buffer = bytes(at + encoded.length);
    buffer.set(encoded, at);
    assert.deepEqual(decodePacket(buffer.subarray(at)), packet);
  }));
});

Deno.test("the fields lie where virtio 1.3, 5.10.6 has them", () => {
  const header = encodeHeader({
    ...{ srcCid: 0x0807060504030201n, dstCid: 0x100f0e0d0c0b0a09n },
    ...{ srcPort: 0x14131211, dstPort: 0x18171615, len: 0x1c1b1a19, type: 0x1e1d, op: 0x201f },
    ...{ flags: 0x24232221, bufAlloc: 0x28272625, fwdCnt: 0x2c2b2a29 },
  });
  assert.deepEqual([...header], Array.from({ length: HEADER_SIZE }, (_, i) => i + 1));
});

Deno.test("a packet reads as one line", () => {
  const packet = {
    ...{ srcCid: 52n, dstCid: 2n, srcPort: 1024, dstPort: 1234, len: 5, type: 1, op: OP.RW },
    ...{ flags: 0, bufAlloc: 262144, fwdCnt: 7, data: bytes(5) },
  };
  const rest = "stream 52:1024 > 2:1234, 5 bytes, flags 0, buf_alloc 262144, fwd_cnt 7";
  assert.equal(describePacket(packet), `RW ${rest}`);
  const odd = describePacket({ ...packet, op: 77, type: 3, len: 9 });
  assert.match(odd, /^op 77 type 3 52:1024 > 2:1234, 5 bytes, len 9, /);
});
