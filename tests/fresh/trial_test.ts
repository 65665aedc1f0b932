import assert from "node:assert/strict";
import { firstVerdicts, tableOf, turnOf } from "./trial.ts";

Deno.test("turnOf() gives all their turn", () => {
  const turns = Array.from(
    { length: 64 },
    (_, i) => turnOf(["a", "b", "c"], (i * 0x1234567).toString(16).padStart(40, "0").slice(-8)),
  );
  assert.deepEqual([...new Set(turns)].sort(), ["a", "b", "c"]);
  assert.equal(turnOf(["a", "b"], "00000003" + "f".repeat(32)), "b");
});

Deno.test("tableOf() says what was wrong on one line", () => {
  const trial = {
    ...{ release: "trixie", who: "user", command: "cross", place: "2, lists" } as const,
    milliseconds: 61_000,
  };
  const table = tableOf([
    { ...trial, first: 12_300, complaint: undefined },
    { ...trial, first: undefined, complaint: "it ended with 69; the end:\n  | x" },
  ]);
  assert.match(table, /\ntrixie +user +cross +2, lists +12.3 s +1 min 1 s +ok\n/);
  assert.match(table, /\n.* - +1 min 1 s +FAILED: it ended with 69; the end:\n$/);
});

Deno.test("firstVerdicts() gives the median, the worst, and how many there were", () => {
  const trials = [50_000, 70_000, undefined, 40_000, 60_000].map((first) => ({ first }));
  const said = "first verdicts: 4 of 5, median 1 min 0 s, worst 1 min 10 s\n";
  assert.equal(firstVerdicts(trials), said);
  assert.equal(firstVerdicts([{ first: undefined }]), "no first verdict\n");
});
