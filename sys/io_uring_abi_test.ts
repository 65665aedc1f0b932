import assert from "node:assert/strict";
import {
  probe,
  probeHas,
  readCompletion,
  ringLayout,
  ringParams,
  ringSlot,
  ringUsed,
  writeRequest,
} from "./io_uring_abi.ts";
import { bytes } from "./structs.ts";

/** The parameters that a kernel gives for 4 entries. */
function filledParams(features = 1) {
  const params = ringParams();
  const view = new DataView(params.buffer);
  view.setUint32(0, 4, true);
  view.setUint32(4, 8, true);
  view.setUint32(20, features, true);
  [0, 4, 16, 24, 36, 32, 192].forEach((at, i) => view.setUint32(40 + 4 * i, at, true));
  [8, 12, 20, 28, 44, 64, 40].forEach((at, i) => view.setUint32(80 + 4 * i, at, true));
  return params;
}

Deno.test("ringLayout() finds the fields, and the length of what holds both rings", () => {
  assert.deepEqual(ringLayout(filledParams()), {
    sqEntries: 4,
    cqEntries: 8,
    sqHead: 0,
    sqTail: 4,
    sqDropped: 32,
    sqArray: 192,
    cqHead: 8,
    cqTail: 12,
    cqOverflow: 44,
    cqes: 64,
    ringsLength: 208,
    sqesLength: 256,
  });
});

Deno.test("ringLayout() refuses rings that must be mapped apart", () => {
  assert.throws(() => ringLayout(filledParams(0)), /older than 5.4/);
});

Deno.test("ringUsed() counts on where the counters wrap around", () => {
  assert.equal(ringUsed(5, 7), 2);
  assert.equal(ringUsed(-1, 2), 3);
  assert.equal(ringUsed(0x7fffffff, -0x80000000), 1);
  assert.equal(ringUsed(3, 3), 0);
});

Deno.test("ringSlot() stays within the ring where the counters wrap around", () => {
  assert.deepEqual([3, 4, 5, -1, -4].map((counter) => ringSlot(counter, 4)), [3, 0, 1, 3, 0]);
});

Deno.test("writeRequest() writes one struct io_uring_sqe and clears what was there", () => {
  const entries = bytes(128).fill(0xaa);
  writeRequest(entries, 1, {
    opcode: 9,
    fd: 5,
    address: 0x1122334455667788n,
    length: 1,
    userData: 7n,
    messageFlags: 0x40,
  });
  assert.ok(entries.subarray(0, 64).every((byte) => byte === 0xaa));
  assert.deepEqual([...entries.subarray(64)], [
    ...[9, 0, 0, 0, 5, 0, 0, 0],
    ...[0, 0, 0, 0, 0, 0, 0, 0],
    ...[0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11],
    ...[1, 0, 0, 0, 0x40, 0, 0, 0],
    ...[7, 0, 0, 0, 0, 0, 0, 0],
    ...Array(24).fill(0),
  ]);
});

Deno.test("readCompletion() reads the struct io_uring_cqe of a slot", () => {
  const completions = bytes(32);
  const view = new DataView(completions.buffer);
  view.setBigUint64(16, 3n, true);
  view.setInt32(24, -22, true);
  view.setUint32(28, 8, true);
  assert.deepEqual(readCompletion(completions, 1), { userData: 3n, result: -22, flags: 8 });
});

Deno.test("probeHas() tells the operations that are supported from those that are only known", () => {
  const filled = probe();
  filled[1] = 3;
  filled.set([1, 0, 1, 0], 16 + 8);
  filled.set([4, 0, 1, 0], 16 + 4 * 8);
  assert.deepEqual([0, 1, 2, 4].map((opcode) => probeHas(filled, opcode)), [
    false,
    true,
    false,
    false,
  ]);
});
