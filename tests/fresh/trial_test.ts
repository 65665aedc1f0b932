import assert from "node:assert/strict";
import { tableOf, turnOf } from "./trial.ts";

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
