import assert from "node:assert/strict";
import fc from "fast-check";
import { Random, seedFor } from "./random.ts";

const draws = (random: Random, count: number) => Array.from({ length: count }, () => random.next());

Deno.test("Random draws the same numbers from the same seed, and others from another", () => {
  fc.assert(fc.property(fc.integer(), (seed) => {
    assert.deepEqual(draws(new Random(seed), 8), draws(new Random(seed), 8));
    assert.notDeepEqual(draws(new Random(seed), 8), draws(new Random(seed + 1), 8));
  }));
});

Deno.test("Random draws what mulberry32 draws", () => {
  // The reference implementation in C, seed 0, first three.
  assert.deepEqual(draws(new Random(0), 3), [1144304738, 1416247, 958946056]);
});

Deno.test("Random.below() stays below its end and reaches every number", () => {
  const random = new Random(1);
  const seen = new Set<number>();
  for (let i = 0; i < 2000; i++) {
    const value = random.below(7);
    assert.ok(Number.isInteger(value) && value >= 0 && value < 7);
    seen.add(value);
  }
  assert.equal(seen.size, 7);
  assert.equal(random.below(1), 0);
});

Deno.test("Random.bytes() gives as many bytes as asked for, of every value", () => {
  const data = new Random(3).bytes(8192);
  assert.equal(data.length, 8192);
  assert.equal(new Set(data).size, 256);
  assert.equal(new Random(3).bytes(0).length, 0);
});

Deno.test("seedFor() depends on the seed and on the id, and fits 32 bits", () => {
  fc.assert(fc.property(fc.nat(0xffffffff), fc.string(), fc.string(), (seed, one, other) => {
    const value = seedFor(seed, one);
    assert.ok(Number.isInteger(value) && value >= 0 && value <= 0xffffffff);
    assert.equal(seedFor(seed, one), value);
    if (one.length === 1 && other.length === 1 && one !== other) {
      assert.notEqual(seedFor(seed, other), value);
    }
  }));
  assert.notEqual(seedFor(1, "stream/a/b"), seedFor(1, "stream/a/c"));
  assert.notEqual(seedFor(1, "stream/a/b"), seedFor(2, "stream/a/b"));
});
