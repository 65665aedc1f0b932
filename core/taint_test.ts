import assert from "node:assert/strict";
import { harmOf, taintsOf, taintText } from "./taint.ts";
import { troubleBefore } from "./event.ts";

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

Deno.test("harmOf() says what has come since, and whether it lasts", () => {
  assert.equal(harmOf(0, 0), undefined);
  assert.equal(harmOf(2 ** 12, 2 ** 12), undefined);
  const warned = harmOf(2 ** 12, 2 ** 12 + 2 ** 9);
  assert.equal(warned?.taint, 2 ** 9);
  assert.match(warned?.effects.join() ?? "", /^tainted: W \(the kernel has warned; [^,]*\)$/);
  assert.equal(warned?.lasting, undefined);
  for (const bit of [4, 5, 7, 14]) assert.equal(harmOf(0, 2 ** bit)?.lasting, true, `${bit}`);
  assert.equal(harmOf(2 ** 7, 2 ** 7), undefined, "what was there before is no harm of the run's");
  assert.equal(harmOf(2 ** 7, 2 ** 7 + 2 ** 9)?.lasting, undefined);
  assert.deepEqual(harmOf(0, 2 ** 40)?.taint, 2 ** 40);
});

Deno.test("harmOf() has what the log says that leaves no taint", () => {
  assert.deepEqual(harmOf(0, 0, { lockdep: true }), {
    taint: 0,
    effects: ["lockdep has reported, and is off"],
  });
  assert.deepEqual(harmOf(0, 0, { lasting: "INFO: task x blocked" }), {
    taint: 0,
    effects: ["has logged: INFO: task x blocked"],
    lasting: true,
  });
});
