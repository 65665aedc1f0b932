import assert from "node:assert/strict";
import { counting, since, sumOf } from "./counters.ts";

const FUNCTION = 0x01000000;
const ARCS = 0x01a10000;

/** A file of counters of two functions, as GCC 14 has it. */
function gcda(counts: readonly [readonly bigint[], readonly bigint[]], version = "B42*") {
  const isNew = version >= "B2";
  const words = [0x67636461, [...version].reduce((sum, c) => sum * 256 + c.charCodeAt(0), 0), 7];
  if (isNew) words.push(9);
  const unit = isNew ? 4 : 1;
  for (const [i, each] of counts.entries()) {
    words.push(FUNCTION, 3 * unit, i, 0xfffffff0, 0x1234, ARCS, 2 * unit * each.length);
    for (const count of each) words.push(Number(count & 0xffffffffn), Number(count >> 32n));
  }
  return new Map([["net/vmw_vsock/diag", new Uint8Array(Uint32Array.from(words).buffer)]]);
}

const A = gcda([[1n, 0n], [5n]]);
const B = gcda([[3n, 2n ** 33n], [5n]]);

Deno.test("counters are added and subtracted, and nothing else in their files changes", () => {
  for (const version of ["B42*", "B01*"]) {
    const of = (...counts: Parameters<typeof gcda>[0]) => gcda(counts, version);
    const [a, b] = [of([1n, 0n], [5n]), of([3n, 2n ** 33n], [5n])];
    assert.deepEqual(sumOf(a, b), of([4n, 2n ** 33n], [10n]));
    assert.deepEqual(since(a, b), of([2n, 2n ** 33n], [0n]));
  }
});

Deno.test("a counter that is lower than before is another kernel's", () => {
  assert.equal(since(B, A), undefined);
  assert.notEqual(since(A, A), undefined);
});

Deno.test("only files with a count are those that count", () => {
  assert.equal(counting(A).size, 1);
  assert.equal(counting(since(A, A) ?? assert.fail()).size, 0);
});

Deno.test("files of two builds, and what is no such file, are refused", () => {
  assert.throws(() => sumOf(A, gcda([[1n], [5n]])), /two builds/);
  const [[name, data] = assert.fail()] = A;
  assert.throws(() => counting(new Map([[name, data.subarray(0, -4)]])), /cut off/);
  assert.throws(() => counting(new Map([[name, new Uint8Array(40)]])), /format/);
});
