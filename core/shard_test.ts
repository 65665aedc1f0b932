import assert from "node:assert/strict";
import fc from "fast-check";
import { shardOf } from "./shard.ts";

const CASES = ["a/1", "a/2", "b/1", "c/1", "a/3", "c/2"].map((id) => ({ id }));

function ids(index: number, count: number): string[] {
  return shardOf(CASES, { index, count }).map(({ id }) => id);
}

Deno.test("shardOf() deals out whole families, the largest first", () => {
  assert.deepEqual(ids(1, 1), CASES.map(({ id }) => id));
  assert.deepEqual([ids(1, 2), ids(2, 2)], [["a/1", "a/2", "a/3"], ["b/1", "c/1", "c/2"]]);
  assert.deepEqual([ids(2, 3), ids(3, 3), ids(4, 4)], [["c/1", "c/2"], ["b/1"], []]);
});

Deno.test("shards have every case once, and no family is in two", () => {
  const family = fc.constantFrom("stream", "seqpacket", "diag", "close", "flow");
  const cases = fc.array(fc.tuple(family, fc.nat(9)), { maxLength: 40 });
  fc.assert(fc.property(cases, fc.integer({ min: 1, max: 8 }), (named, count) => {
    const all = named.map(([name, number], i) => ({ id: `${name}/${number}/${i}` }));
    const shards = Array.from({ length: count }, (_, i) => shardOf(all, { index: i + 1, count }));
    assert.deepEqual(
      shards.flat().map(({ id }) => id).sort(),
      all.map(({ id }) => id).sort(),
    );
    const families = shards.flatMap((
      shard,
    ) => [...new Set(shard.map(({ id }) => id.split("/")[0]))]);
    assert.equal(new Set(families).size, families.length);
  }));
});
