import assert from "node:assert/strict";
import fc from "fast-check";
import { bisect } from "./bisect.ts";

Deno.test("bisect() finds the change, and names what could not be tested beside it", async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 2, max: 60 }).chain((length) =>
      fc.tuple(fc.constant(length), fc.integer({ min: 1, max: length - 1 }))
    ),
    fc.array(fc.integer({ min: 0, max: 59 })),
    async ([length, change], broken) => {
      const items = Array.from({ length }, (_, i) => i);
      const tried: number[] = [];
      const { last, first, untested } = await bisect(items, "good", (i) => {
        tried.push(i);
        const state = broken.includes(i) ? "unknown" : i < change ? "good" : "bad";
        return Promise.resolve(state);
      });
      assert.ok(last < change && first >= change);
      assert.ok(untested.every((i) => broken.includes(i)));
      assert.equal(untested.length, first - last - 1);
      assert.equal(new Set(tried).size, tried.length);
      assert.ok(!tried.includes(0) && !tried.includes(length - 1));
      if (broken.length === 0) assert.ok(tried.length <= Math.ceil(Math.log2(length)));
    },
  );
  await fc.assert(property, { numRuns: 300, seed: 1 });
});
