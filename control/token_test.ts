import assert from "node:assert/strict";
import fc from "fast-check";
import { isSameToken, newToken } from "./token.ts";

Deno.test("newToken() makes another token each time, of 128 bits", () => {
  const tokens = new Set(Array.from({ length: 100 }, newToken));
  assert.equal(tokens.size, 100);
  for (const token of tokens) assert.match(token, /^[0-9a-f]{32}$/);
});

Deno.test("isSameToken() says of any two texts whether they are the same", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 6 });
  fc.assert(fc.property(text, text, (a, b) => {
    assert.equal(isSameToken(a, b), a === b);
    assert.ok(isSameToken(a, a));
    assert.ok(!isSameToken(a, `${a}${a}`) || a === "");
  }));
});
