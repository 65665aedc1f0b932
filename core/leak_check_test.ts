import assert from "node:assert/strict";
import fc from "fast-check";
import { type Growth, Holdings, isLeak, leakText, MAX_REPEATS } from "./leak_check.ts";

const held = (count: number, slack = 0) => [{ what: "things", count, slack }];
const growth = (...grown: number[]): Growth => ({ what: "things", grown });

/** What becomes of a case that leaves so many things in each of its runs, the first in front. */
function verdictOn(...left: number[]): boolean | undefined {
  let verdict: boolean | undefined;
  for (let runs = 1; runs <= left.length && verdict === undefined; runs++) {
    verdict = isLeak(growth(...left.slice(0, runs)));
  }
  return verdict;
}

Deno.test("Holdings.take() gives what has grown beyond its slack, once", () => {
  const holdings = new Holdings();
  assert.deepEqual(holdings.take(held(10)), []);
  assert.deepEqual(holdings.take(held(13)), [growth(3)]);
  assert.deepEqual(holdings.take(held(13)), []);
  assert.deepEqual(holdings.take(held(5)), []);
  assert.deepEqual(holdings.take(held(6)), [growth(1)]);
  assert.deepEqual(holdings.take([]), []);
});

Deno.test("Holdings.take() tells of what grows slowly when it is more than the slack", () => {
  const holdings = new Holdings();
  const grown = [10, 11, 9, 12, 13, 14].map((count) => holdings.take(held(count, 4)));
  assert.deepEqual(grown, [[], [], [], [], [], [growth(5)]]);
});

Deno.test("Holdings.follow() adds how much each run leaves", () => {
  const holdings = new Holdings();
  holdings.take(held(0));
  let growths = holdings.take(held(4));
  for (const count of [8, 7, 11]) growths = holdings.follow(growths, held(count));
  assert.deepEqual(growths, [growth(4, 4, -1, 4)]);
  assert.deepEqual(holdings.follow(growths, []), [growth(4, 4, -1, 4, 0)]);
  assert.deepEqual(holdings.take(held(11)), []);
  holdings.clear();
  assert.deepEqual(holdings.follow(growths, held(100)), [growth(4, 4, -1, 4, 0)]);
});

Deno.test("Holdings.clear() forgets what another kernel held", () => {
  const holdings = new Holdings();
  holdings.take(held(1));
  holdings.clear();
  assert.deepEqual(holdings.take(held(100)), []);
});

Deno.test("isLeak() takes for a leak what each run leaves, be it one thing", () => {
  for (const each of [1, 2, 3, 200, 100_000]) {
    assert.equal(verdictOn(...Array<number>(4).fill(each)), true, `${each}`);
  }
  assert.equal(verdictOn(200, 170, 160, 199), true);
  assert.equal(verdictOn(1, 1, 0, 1), undefined);
  assert.equal(verdictOn(1, 1, 0, 1, 0, 1), true, "one that takes a race, in half of its runs");
});

Deno.test("isLeak() takes for none what came once", () => {
  assert.equal(verdictOn(409, 0), undefined);
  assert.equal(verdictOn(409, 0, 0), false);
  assert.equal(verdictOn(409, -409, 409), false);
  assert.equal(verdictOn(1, 0, 0), false);
  assert.equal(verdictOn(1, 1, -1), false);
  assert.equal(verdictOn(500, 60, 60), false, "of another order");
});

Deno.test("isLeak() decides after so many runs, and never before the third that there is one", () => {
  const grown = fc.array(fc.integer({ min: -500, max: 500 }), {
    minLength: MAX_REPEATS + 1,
    maxLength: MAX_REPEATS + 1,
  });
  fc.assert(fc.property(grown, ([first = 0, ...later]) => {
    const all = [Math.abs(first) + 1, ...later];
    assert.notEqual(isLeak(growth(...all)), undefined);
    for (const runs of [1, 2, 3]) assert.notEqual(isLeak(growth(...all.slice(0, runs))), true);
  }));
});

Deno.test("isLeak() is not misled by a count that goes up and down", () => {
  // What stands still in the end is no leak, however it got there.
  const counts = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 10, maxLength: 10 });
  fc.assert(fc.property(counts, (all) => {
    const steps = all.slice(1).map((count, i) => count - (all[i] ?? 0));
    assert.notEqual(verdictOn(1, ...steps.slice(0, MAX_REPEATS)), true);
  }));
});

Deno.test("leakText() says how much came with each run", () => {
  assert.equal(
    leakText(growth(2, 2, 1, 2)),
    "leak: things: 2 more after this case, and 5 more after 3 more runs of it (2, 1, 2)",
  );
});
