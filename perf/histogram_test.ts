import assert from "node:assert/strict";
import fc from "fast-check";
import { build } from "hdr-histogram-js";
import { Histogram } from "./histogram.ts";

const MAX = 2 ** 42 - 1;
const PERCENTS = [0.1, 1, 25, 50, 90, 99, 99.9, 99.99, 100];
/** Small and large alike, and what lies at the edges of buckets. */
const value = fc.oneof(
  fc.nat({ max: 5000 }),
  fc.maxSafeNat().map((n) => n % MAX),
  fc.tuple(fc.nat({ max: 41 }), fc.integer({ min: -1, max: 1 }))
    .map(([bits, off]) => Math.max(0, 2 ** bits + off)),
);

Deno.test("Histogram gives the percentiles that HdrHistogram gives", () => {
  fc.assert(fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), (values) => {
    const ours = new Histogram();
    const theirs = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: MAX,
      numberOfSignificantValueDigits: 3,
      useWebAssembly: false,
    });
    for (const each of values) {
      ours.record(each);
      theirs.recordValue(each);
    }
    const greatest = Math.max(...values);
    for (const percent of PERCENTS) {
      const expected = Math.min(greatest, theirs.getValueAtPercentile(percent));
      assert.equal(ours.percentile(percent), expected, `${percent} %`);
    }
    assert.equal(ours.count, theirs.totalCount);
    assert.equal(ours.max, greatest);
    assert.equal(ours.min, Math.min(...values));
    const sum = values.reduce((total, each) => total + each, 0);
    assert.ok(Math.abs(ours.mean - sum / values.length) <= 1e-9 * sum);
  }));
});

Deno.test("Histogram.percentile() is off by less than a thousandth, and never below", () => {
  fc.assert(fc.property(fc.array(value, { minLength: 1, maxLength: 100 }), (values) => {
    const histogram = new Histogram();
    values.forEach((each) => histogram.record(each));
    const sorted = values.toSorted((a, b) => a - b);
    for (const percent of [1, 50, 100]) {
      const exact = sorted[Math.max(0, Math.ceil(percent / 100 * sorted.length) - 1)] ?? 0;
      const given = histogram.percentile(percent);
      assert.ok(given >= exact && given <= exact * 1.001, `${percent} %: ${given} for ${exact}`);
    }
  }));
});

Deno.test("Histogram counts what is too large as the largest, and nothing as 0", () => {
  const histogram = new Histogram();
  assert.deepEqual([histogram.percentile(50), histogram.min, histogram.max], [0, 0, 0]);
  histogram.record(2 ** 50);
  assert.equal(histogram.percentile(50), MAX);
});
