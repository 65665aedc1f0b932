import assert from "node:assert/strict";
import { cleanLines, cleanStrings, jsonText, oneLine } from "./clean.ts";

/** What no text may have that came from elsewhere, written out. */
const HARMFUL = [
  ...Array.from({ length: 0x20 }, (_, i) => i),
  ...Array.from({ length: 0x21 }, (_, i) => 0x7f + i),
  ...[0x61c, 0x200e, 0x200f, 0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff, 0xd800, 0xdbff, 0xdc00],
  ...[0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0xdfff, 0xe0001],
].map((code) => String.fromCodePoint(code));

Deno.test("oneLine() leaves nothing of what can do harm", () => {
  for (const character of HARMFUL) {
    const cleaned = oneLine(`a${character}b`);
    assert.match(cleaned, /^a[ \u2400-\u241f\u2421\ufffd]b$/u, JSON.stringify(character));
  }
});

Deno.test("oneLine() changes no other code point, and nothing twice", () => {
  let changed = 0;
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code);
    const cleaned = oneLine(character);
    if (cleaned !== character) changed++;
    assert.equal(oneLine(cleaned), cleaned);
  }
  // Controls, format characters, surrogates, line and paragraph separators, and no characters.
  assert.ok(changed > 65 + 2048 + 66 + 2 && changed < 2500, `${changed}`);
  for (const text of ["ä → 日本 🎉 #1 \\x1b", "<&>\"'", "e\u0301"]) {
    assert.equal(oneLine(text), text);
  }
});

Deno.test("oneLine() shows what was there, and a run of line ends as one space", () => {
  assert.equal(oneLine("a\r\n\n\tb\u001b[2J\u009bc\u202ed"), "a b\u241b[2J\ufffdc\ufffdd");
});

Deno.test("jsonText() is JSON of the same value, in which nothing can do harm", () => {
  const value = { key: HARMFUL.filter((character) => character.isWellFormed()).join("x") };
  const text = jsonText(value);
  assert.deepEqual(JSON.parse(text), value);
  assert.match(text, /^\{\n[ -~]*\n\}$/);
});

Deno.test("cleanLines() keeps lines apart and cleans each", () => {
  assert.equal(cleanLines("a\r\nb\u0000\n"), "a \nb\u2400\n");
});

Deno.test("cleanStrings() cleans what JSON can hold, wherever it is", () => {
  const value = { a: ["x\u001b", 1, null, { b: "y\n" }], c: true };
  assert.deepEqual(cleanStrings(value), { a: ["x\u241b", 1, null, { b: "y " }], c: true });
});
