import assert from "node:assert/strict";
import fc from "fast-check";
import { AF_UNIX, AF_VSOCK, POLLIN, POLLRDHUP, VMADDR_CID_ANY } from "./constants.ts";
import { addressOf } from "./libc.ts";
import {
  bytes,
  type ControlMessage,
  controlMessages,
  controlSpace,
  encodeControlMessages,
  int,
  linger,
  messageHeader,
  messageHeaderFlags,
  pollfd,
  pollRevents,
  SOCKADDR_STORAGE_SIZE,
  SOCKADDR_VM_SIZE,
  timeval,
  u64,
  unixStandIn,
  VSOCK,
} from "./structs.ts";

// Sizes and offsets below are what offsetof() gives with glibc on x86-64 and on aarch64 alike.

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const view = (data: Uint8Array<ArrayBuffer>) => new DataView(data.buffer, data.byteOffset);

Deno.test("VSOCK.encode() lays out a struct sockaddr_vm as linux/vm_sockets.h does", () => {
  const sockaddr = VSOCK.encode({ cid: 0x11223344, port: 0x55667788, flags: 0x99 });
  assert.equal(SOCKADDR_VM_SIZE, 16);
  // svm_family 0, svm_reserved1 2, svm_port 4, svm_cid 8, svm_flags 12, svm_zero 13
  const expected = [40, 0, 0, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0x99, 0, 0, 0];
  assert.deepEqual([...sockaddr], expected);
});

Deno.test("VSOCK.decode() gives back every address that VSOCK.encode() was given", () => {
  const flags = fc.integer({ min: 0, max: 255 });
  fc.assert(fc.property(uint32, uint32, flags, (cid, port, flags) => {
    const stored = bytes(SOCKADDR_STORAGE_SIZE);
    stored.set(VSOCK.encode({ cid, port, flags }));
    assert.deepEqual(VSOCK.decode(stored, SOCKADDR_VM_SIZE), { cid, port, flags });
  }));
});

Deno.test("VSOCK.decode() refuses another length and another family", () => {
  const sockaddr = VSOCK.encode({ cid: 2, port: 1 });
  for (const length of [0, 15, 17, 128]) {
    assert.throws(() => VSOCK.decode(sockaddr, length), RangeError);
  }
  view(sockaddr).setUint16(0, AF_UNIX, true);
  assert.throws(() => VSOCK.decode(sockaddr, 16), { message: /family is 1, not 40/ });
  assert.equal(VSOCK.domain, AF_VSOCK);
});

Deno.test("unixStandIn() gives every port a name of its own, and finds it again", () => {
  const family = unixStandIn("here");
  fc.assert(fc.property(uint32, uint32, (cid, port) => {
    const sockaddr = family.encode({ cid, port });
    assert.equal(view(sockaddr).getUint16(0, true), AF_UNIX);
    assert.equal(sockaddr[2], 0, "an abstract name, sun_path 2");
    assert.ok(sockaddr.length <= 110, "sizeof(struct sockaddr_un)");
    assert.deepEqual(family.decode(sockaddr, sockaddr.length), { cid: VMADDR_CID_ANY, port });
  }));
});

Deno.test("unixStandIn() keeps namespaces apart and reads no name as an unbound socket", () => {
  const there = unixStandIn("there").encode({ cid: 1, port: 5 });
  const unbound = { cid: VMADDR_CID_ANY, port: 0xffffffff };
  assert.deepEqual(unixStandIn("here").decode(there, there.length), unbound);
  for (const length of [0, 2]) {
    assert.deepEqual(unixStandIn("here").decode(bytes(SOCKADDR_STORAGE_SIZE), length), unbound);
  }
});

Deno.test("timeval() splits any time into seconds and less than a million microseconds", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (milliseconds) => {
      const encoded = timeval(milliseconds);
      assert.equal(encoded.length, 16);
      const seconds = view(encoded).getBigInt64(0, true);
      const microseconds = view(encoded).getBigInt64(8, true);
      assert.ok(microseconds >= 0n && microseconds < 1_000_000n);
      const back = Number(seconds * 1_000_000n + microseconds) / 1000;
      assert.ok(Math.abs(back - milliseconds) <= 0.001, `${milliseconds} became ${back}`);
    }),
    { examples: [[999.9999], [1500], [0.001]] },
  );
});

Deno.test("linger() is two ints, and zeroes when it is turned off", () => {
  assert.deepEqual([...new Int32Array(linger(5).buffer)], [1, 5]);
  assert.deepEqual([...new Int32Array(linger(undefined).buffer)], [0, 0]);
});

Deno.test("int() and u64() keep their number", () => {
  assert.deepEqual([...int(-2)], [0xfe, 0xff, 0xff, 0xff]);
  fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
    assert.equal(view(u64(value)).getBigUint64(0, true), value);
  }));
});

Deno.test("pollfd() has fd at 0 and events at 4, pollRevents() reads at 6", () => {
  const encoded = pollfd(7, POLLIN | POLLRDHUP);
  assert.deepEqual([...encoded], [7, 0, 0, 0, 0x01, 0x20, 0, 0]);
  view(encoded).setUint16(6, 0x8001, true);
  assert.equal(pollRevents(encoded), 0x8001);
});

Deno.test("messageHeader() points to its vectors and its control data as struct msghdr does", () => {
  const data = bytes(10);
  const control = bytes(24);
  const header = messageHeader([data, { address: 0x1000n, length: 3 }], control);
  assert.equal(header.bytes.length, 56);
  const word = (at: number) => view(header.bytes).getBigUint64(at, true);
  assert.deepEqual([word(0), view(header.bytes).getUint32(8, true)], [0n, 0], "no msg_name");
  assert.deepEqual([word(16), word(24)], [addressOf(header.iov), 2n], "msg_iov, msg_iovlen");
  assert.deepEqual([word(32), word(40)], [addressOf(control), 24n], "msg_control, its length");
  const iov = [...new BigUint64Array(header.iov.buffer)];
  assert.deepEqual(iov, [addressOf(data), 10n, 0x1000n, 3n]);
  view(header.bytes).setInt32(48, 0x20, true);
  assert.equal(messageHeaderFlags(header), 0x20);
});

Deno.test("messageHeader() without vectors and control has NULL for both", () => {
  assert.ok(messageHeader([]).bytes.every((byte) => byte === 0));
  assert.deepEqual(controlMessages(messageHeader([])), []);
});

Deno.test("controlSpace() is CMSG_SPACE()", () => {
  assert.deepEqual([0, 1, 4, 5, 8, 9].map(controlSpace), [16, 24, 24, 24, 24, 32]);
});

Deno.test("encodeControlMessages() has cmsg_len at 0, level at 8, type at 12, data at 16", () => {
  const encoded = encodeControlMessages([{ level: 1, type: 2, data: int(9) }]);
  assert.deepEqual([...new Int32Array(encoded.buffer)], [20, 0, 1, 2, 9, 0]);
});

const messages: fc.Arbitrary<ControlMessage[]> = fc.array(fc.record({
  level: fc.integer(),
  type: fc.integer(),
  data: fc.uint8Array({ maxLength: 40 }).map((data) => new Uint8Array(data)),
}, { noNullPrototype: true }));

Deno.test("controlMessages() gives back what encodeControlMessages() was given", () => {
  fc.assert(fc.property(messages, (sent) => {
    const received = controlMessages(messageHeader([], encodeControlMessages(sent)));
    assert.deepEqual(received, sent);
  }));
});

Deno.test("controlMessages() reads no further than msg_controllen, whatever is there", () => {
  const anything = fc.uint8Array({ minLength: 0, maxLength: 200 });
  fc.assert(fc.property(anything, fc.nat(200), (garbage, claimed) => {
    const header = messageHeader([], new Uint8Array(garbage));
    const end = Math.min(claimed, garbage.length);
    view(header.bytes).setBigUint64(40, BigInt(end), true);
    const size = controlMessages(header).reduce((sum, { data }) => sum + 16 + data.length, 0);
    assert.ok(size <= end);
  }));
});
