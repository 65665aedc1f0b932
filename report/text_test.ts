import assert from "node:assert/strict";
import fc from "fast-check";
import { countsText, decisiveFirst, endText } from "./text.ts";
import { duration } from "../core/duration.ts";

Deno.test("duration() shows milliseconds, seconds and minutes", () => {
  const shown = [0, 14.6, 999, 1000, 2149, 59_900, 60_000, 184_000].map(duration);
  const expected = [
    "0 ms",
    "15 ms",
    "999 ms",
    "1.0 s",
    "2.1 s",
    "59.9 s",
    "1 min 0 s",
    "3 min 4 s",
  ];
  assert.deepEqual(shown, expected);
});

Deno.test("duration() never shows 1000 ms or 60 s for the next unit", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e7, noNaN: true }), (milliseconds) => {
      const [, value, unit] = /^(?:\d+ min )?([\d.]+) (ms|s)$/.exec(duration(milliseconds)) ?? [];
      assert.ok(Number(value) < (unit === "ms" ? 1000 : 60), duration(milliseconds));
    }),
    { examples: [[999.7], [59_970], [119_700]] },
  );
});

Deno.test("endText() shows the CID where it is known and not the wildcard", () => {
  const end = { name: "guest", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
  assert.equal(endText(end), "guest: Linux 7.3.4 x86_64");
  assert.equal(endText({ ...end, localCid: 3 }), "guest: Linux 7.3.4 x86_64, CID 3");
  assert.equal(endText({ ...end, localCid: 0xffffffff }), "guest: Linux 7.3.4 x86_64");
  const leaks = { watched: ["sockets", "kmemleak"], milliseconds: 12_000 };
  assert.match(endText({ ...end, leaks }), /; watched for leaks: sockets, kmemleak$/);
});

Deno.test("countsText() always says how many passed and failed", () => {
  const none = { pass: 0, fail: 0, warn: 0, skip: 0, broken: 0, timeout: 0 };
  assert.equal(countsText(none), "0 passed, 0 failed");
  assert.equal(
    countsText({ pass: 9, fail: 1, timeout: 2, broken: 3, warn: 4, skip: 5 }),
    "9 passed, 1 failed, 2 timed out, 3 broken, 4 warned, 5 skipped",
  );
});

Deno.test("decisiveFirst() puts the reason of the side that decided in front", () => {
  const side = { reasons: [], step: "", milliseconds: 1 };
  const verdict = (state: "fail" | "timeout") => ({
    outcome: state,
    reasons: ["client: passed", "server: recv(): EPIPE", "server: last step: recv()"],
    milliseconds: 1,
    sides: {
      client: { ...side, state: "pass" as const },
      server: { ...side, state: "fail" as const, reasons: ["recv(): EPIPE"] },
    },
  });
  const first = ["server: recv(): EPIPE", "client: passed", "server: last step: recv()"];
  assert.deepEqual(decisiveFirst(verdict("fail")), first);
  assert.deepEqual(decisiveFirst({ ...verdict("fail"), outcome: "warn" }), first);
  assert.deepEqual(decisiveFirst(verdict("timeout")), verdict("timeout").reasons);
});
