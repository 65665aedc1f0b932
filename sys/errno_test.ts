import assert from "node:assert/strict";
import {
  errnoMeaning,
  type ErrnoName,
  errnoName,
  errnoNumber,
  StillBlockedError,
  SysError,
} from "./errno.ts";
import { callWide } from "./libc.ts";

/** The string that a libc function returns for an error number; undefined for NULL. */
function libcText(symbol: string, errno: number): string | undefined {
  const pointer = Deno.UnsafePointer.create(callWide(symbol, errno));
  return pointer === null ? undefined : Deno.UnsafePointerView.getCString(pointer);
}

Deno.test("errnoName() and errnoMeaning() say what libc says, for every error number", () => {
  for (let errno = 1; errno <= 140; errno++) {
    const name = libcText("strerrorname_np", errno);
    assert.equal(errnoName(errno), name ?? `errno ${errno}`);
    const meaning = name === undefined ? "Unknown error" : libcText("strerror", errno);
    assert.equal(errnoMeaning(errno), meaning, `errno ${errno}`);
  }
});

Deno.test("errnoNumber() is the inverse of errnoName()", () => {
  let known = 0;
  for (let errno = 1; errno <= 140; errno++) {
    const name = errnoName(errno);
    if (name === `errno ${errno}`) continue;
    known++;
    assert.equal(errnoNumber(name as ErrnoName), errno);
  }
  assert.equal(known, 131, "error numbers that Linux has: 1 to 133 without 41 and 58");
});

Deno.test("errnoNumber() refuses a name that Linux does not have", () => {
  assert.throws(() => errnoNumber("ENOTHING" as ErrnoName), RangeError);
});

Deno.test("SysError says the call, the name and the meaning", () => {
  const error = new SysError("connect(3, vsock 2:1234)", 104);
  assert.equal(error.message, "connect(3, vsock 2:1234): ECONNRESET (Connection reset by peer)");
  assert.deepEqual([error.name, error.call, error.errno, error.code], [
    "SysError",
    "connect(3, vsock 2:1234)",
    104,
    "ECONNRESET",
  ]);
});

Deno.test("SysError keeps the number of an error that has no name", () => {
  assert.equal(new SysError("f()", 4711).message, "f(): errno 4711 (Unknown error)");
});

Deno.test("StillBlockedError says which call, and for how long", () => {
  const error = new StillBlockedError("recv(3, 1, 0)", 1549);
  assert.equal(error.message, "recv(3, 1, 0) was still blocked after 1.5 s");
  assert.equal(error.call, "recv(3, 1, 0)");
});
