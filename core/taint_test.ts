import assert from "node:assert/strict";
import { taintsOf, taintText, troubleBefore } from "./taint.ts";

Deno.test("taintsOf() gives the kernel's letters, and numbers where it knows none", () => {
  const letters = (taint: number) => taintsOf(taint).map(({ letter }) => letter).join("");
  assert.equal(letters(0), "");
  assert.equal(letters(2 ** 20 - 1), "PFSRMBUDAWCIOELKXTNJ");
  assert.equal(letters(2 ** 12 + 2 ** 13), "OE");
  assert.equal(letters(2 ** 40), "bit 40");
});

Deno.test("taintText() says what each letter means", () => {
  assert.equal(taintText(0), "");
  assert.match(
    taintText(2 ** 7 + 2 ** 9),
    /^D \(the kernel has had an Oops .*\), W \(the kernel h/,
  );
});

Deno.test("troubleBefore() tells faults from what a module or the user brought about", () => {
  const end = { name: "guest", kernel: "1", machine: "m", version: "0" };
  assert.deepEqual(troubleBefore({ ...end, taint: 2 ** 0 + 2 ** 12 + 2 ** 13 }), []);
  assert.deepEqual(troubleBefore(end), []);
  assert.deepEqual(
    troubleBefore({ ...end, taint: 2 ** 9 + 2 ** 12, faultsBefore: [["WARNING: x", "y"]] }),
    ["the guest's kernel is tainted: W", "the guest's kernel had reported: WARNING: x"],
  );
});
