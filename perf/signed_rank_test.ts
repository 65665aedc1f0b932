import assert from "node:assert/strict";
import { signedRank } from "./signed_rank.ts";

const close = (actual: number, expected: number, by = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= by, `${actual} is not ${expected}`);

Deno.test("signedRank() has the figures of a published example: heights of plants in pairs, Darwin", () => {
  const differences = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75];
  const { less, more, either } = signedRank(differences);
  close(more, 0.0206298828125);
  close(either, 0.041259765625);
  assert.ok(less > 0.97 && less < 1);
});

Deno.test("signedRank() counts all ways to give signs", () => {
  for (let n = 1; n <= 10; n++) {
    const { less, more, either } = signedRank(Array.from({ length: n }, (_, i) => i + 1));
    close(more, 1 / 2 ** n);
    close(less, 1);
    close(either, Math.min(1, 2 / 2 ** n));
  }
  assert.deepEqual(signedRank([]), { less: 1, more: 1, either: 1 });
  assert.deepEqual(signedRank([0, 0]), { less: 1, more: 1, either: 1 });
  close(signedRank([1, -1]).either, 1);
  close(signedRank([1, 1, 1, 0]).more, 1 / 8);
});

Deno.test("signedRank() gives no small chance more often than chance does", () => {
  for (const sizes of [[1, 2, 3, 4, 5, 6, 7], [1, 1, 2, 2, 5, 8, 8, 9], [3, 3, 3, 3, 3]]) {
    const all = 2 ** sizes.length;
    const found = Array.from(
      { length: all },
      (_, signs) => signedRank(sizes.map((size, i) => (signs >> i) & 1 ? size : -size)),
    );
    for (const side of ["less", "more", "either"] as const) {
      for (const limit of [0.01, 0.05, 0.1, 0.5]) {
        const share = found.filter((chances) => chances[side] <= limit).length / all;
        assert.ok(share <= limit, `${share} are below ${limit}`);
      }
    }
  }
});

Deno.test("signedRank() of many differences is as of few", () => {
  const of = (n: number, every: number) =>
    signedRank(Array.from({ length: n }, (_, i) => (i + 1) * (i % every === 0 ? -1 : 1)));
  for (const every of [2, 3, 4]) {
    const [few, many] = [of(60, every), of(61, every)];
    assert.ok(Math.abs(few.more - many.more) < 0.1);
  }
  // 61 differences of either sign in turn: the exact share, by counting all.
  close(of(61, 2).more, 0.5454144830475403, 1e-3);
  assert.ok(signedRank(Array.from({ length: 200 }, (_, i) => i + 1)).either < 1e-12);
});
