import assert from "node:assert/strict";
import fc from "fast-check";
import { djb2 } from "./djb2.ts";

/** The definition, in numbers of any size. */
function naive(data: Uint8Array): bigint {
  return data.reduce((hash, byte) => BigInt.asUintN(64, hash * 33n + BigInt(byte)), 5381n);
}

Deno.test("djb2() agrees with its definition for any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (data) => {
    assert.equal(djb2(data), naive(data));
  }));
});

Deno.test("djb2() agrees with what the C function gives", () => {
  const text = (value: string) => djb2(new TextEncoder().encode(value));
  assert.equal(text(""), 5381n);
  assert.equal(text("a"), 177670n);
  assert.equal(text("hello world"), 13876786532495509697n);
  assert.equal(djb2(new Uint8Array(100_000).fill(255)), naive(new Uint8Array(100_000).fill(255)));
});
