import assert from "node:assert/strict";
import { Check, ClaimError } from "./check.ts";

/** What sys/errno.ts throws where a libc call fails. */
class SysError extends Error {
  override readonly name = "SysError";
  readonly code = "ECONNRESET";
}

const reset = () => {
  throw new SysError("send(3, 1, 0): ECONNRESET (Connection reset by peer)");
};

Deno.test("Check.that() writes down what does not hold and goes on", () => {
  const check = new Check(5000);
  check.that(true, "holds");
  check.that(false, "does not");
  check.that(false, "neither does this");
  assert.deepEqual(check.mismatches, ["does not", "neither does this"]);
  assert.equal(check.claims, 3);
});

Deno.test("Check.equal() compares deeply and strictly, and shows both values", () => {
  const check = new Check(5000);
  check.equal({ a: [1n] }, { a: [1n] }, "same");
  check.equal(NaN, NaN, "same");
  assert.deepEqual(check.mismatches, []);
  check.equal<unknown>(1, "1", "type");
  check.equal({ a: 1n }, { a: 2n }, "object");
  check.equal<unknown>(undefined, null, "nothing");
  assert.deepEqual(check.mismatches, [
    'type: expected "1", got 1',
    'object: expected {"a":"2"}, got {"a":"1"}',
    "nothing: expected null, got undefined",
  ]);
});

Deno.test("Check.sameBytes() says where bytes begin to differ, or that their number does", () => {
  const check = new Check(5000);
  check.sameBytes(Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3), "same");
  check.sameBytes(new Uint8Array(), new Uint8Array(), "none");
  assert.deepEqual(check.mismatches, []);
  check.sameBytes(Uint8Array.of(1, 0x0a, 9), Uint8Array.of(1, 0xff, 8), "data");
  check.sameBytes(Uint8Array.of(1), Uint8Array.of(1, 2), "short");
  check.sameBytes(Uint8Array.of(1, 2), Uint8Array.of(1), "long");
  assert.deepEqual(check.mismatches, [
    "data: byte 1 is 0x0a, expected 0xff",
    "short: expected 2 bytes, got 1",
    "long: expected 1 bytes, got 2",
  ]);
});

Deno.test("Check.flag() claims that a flag is among others", () => {
  const check = new Check(5000);
  check.flag(0x60, 0x20, "MSG_TRUNC");
  check.flag(0x40, 0x20, "MSG_TRUNC");
  assert.deepEqual(check.mismatches, ["MSG_TRUNC: the flag is not set in 0x40"]);
});

Deno.test("Check.fails() takes the errno expected, or one of several", async () => {
  const check = new Check(5000);
  const error = await check.fails("ECONNRESET", "send", reset);
  assert.equal(error?.code, "ECONNRESET");
  assert.ok(await check.fails(["EPIPE", "ECONNRESET"], "send", () => Promise.reject(error)));
  assert.deepEqual([check.claims, check.mismatches], [2, []]);
});

Deno.test("Check.fails() writes down another errno, and success with what was returned", async () => {
  const check = new Check(5000);
  assert.equal(await check.fails(["EPIPE", "EBADF"], "send", reset), undefined);
  assert.equal(await check.fails("EPIPE", "recv", () => Promise.resolve(0)), undefined);
  assert.deepEqual(check.mismatches, [
    "send: expected EPIPE or EBADF, got send(3, 1, 0): ECONNRESET (Connection reset by peer)",
    "recv: expected EPIPE, but it returned 0",
  ]);
});

Deno.test("Check.succeeds() gives the result, or ends the case with the errno", async () => {
  const check = new Check(5000);
  assert.equal(await check.succeeds("recv", () => Promise.resolve(7)), 7);
  await assert.rejects(check.succeeds("send", reset), ClaimError);
  assert.deepEqual(check.mismatches, [
    "send: send(3, 1, 0): ECONNRESET (Connection reset by peer)",
  ]);
  assert.equal(check.claims, 2);
});

Deno.test("Check takes no error without an errno for a claim", async () => {
  const check = new Check(5000);
  const defect = () => {
    throw new TypeError("a defect");
  };
  await assert.rejects(check.fails("EPIPE", "send", defect), TypeError);
  await assert.rejects(check.succeeds("send", defect), TypeError);
  assert.deepEqual([check.claims, check.mismatches], [0, []]);
});

Deno.test("Check.stop() is a claim that did not hold, and its error", () => {
  const check = new Check(5000);
  assert.ok(check.stop("enough") instanceof ClaimError);
  assert.deepEqual(check.mismatches, ["enough"]);
});
