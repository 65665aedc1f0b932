import assert from "node:assert/strict";
import fc from "fast-check";
import { matches, select, UnmatchedSelectorError } from "./selector.ts";

const ITEMS = ["stream/close/a", "stream/close/b", "stream/peek/a", "seqpacket/peek/a"].map((
  id,
) => ({
  id,
}));
const ids = (...selectors: string[]) => select(ITEMS, selectors).map(({ id }) => id);

Deno.test("matches() knows exact ids, * within a part and ** for any number of parts", () => {
  assert.ok(matches("stream/close/a", "stream/close/a"));
  assert.ok(matches("stream/*/a", "stream/close/a"));
  assert.ok(matches("stream/c*e/*", "stream/close/a"));
  assert.ok(matches("**", "stream/close/a"));
  assert.ok(matches("**/a", "stream/close/a"));
  assert.ok(matches("stream/**/a", "stream/a"), "** is none, too");
  assert.ok(!matches("stream/*/b", "stream/close/x/b"), "* is one part");
  assert.ok(!matches("close", "stream/close/a"));
});

Deno.test("matches() takes a folder for all below it", () => {
  for (const selector of ["stream", "stream/", "stream/close", "stream/close//"]) {
    assert.ok(matches(selector, "stream/close/a"), selector);
  }
  for (const selector of ["*", "stream/*", "*/close", "str*", "**/close", "s*/c*/"]) {
    assert.ok(matches(selector, "stream/close/a"), selector);
  }
  assert.ok(!matches("*/close", "stream/linger/close"));
  assert.ok(!matches("str", "stream/close/a"));
  assert.ok(!matches("stream/close/a/b", "stream/close/a"));
});

Deno.test("matches() takes no character for a pattern but the star", () => {
  for (
    const selector of ["stre.m/close/a", "stream/close/[a]", "stream/clos(e)/a", "stream/.*/a|b"]
  ) {
    assert.ok(!matches(selector, "stream/close/a"), selector);
  }
  assert.ok(matches("a.b/+/(", "a.b/+/("));
});

const word = fc.string({ unit: fc.constantFrom("a", "b", "-"), minLength: 1, maxLength: 3 });
const id = fc.array(word, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const piece = fc.string({ unit: fc.constantFrom("a", "b", "-", "*"), minLength: 1, maxLength: 4 });
const pattern = fc.array(fc.oneof(piece, fc.constant("**")), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join("/"));

/** Says the same as matches() by trying every way to lay the pattern over the id. */
function naive(selector: string, id: string): boolean {
  const over = (pattern: string[], parts: string[]): boolean => {
    if (pattern.length === 0) return parts.length === 0;
    const [first = "", ...rest] = pattern;
    if (first === "**") {
      return Array.from({ length: parts.length + 1 }, (_, i) => parts.slice(i)).some((left) =>
        over(rest, left)
      );
    }
    return parts.length > 0 && glob([...first], [...parts[0] ?? ""]) && over(rest, parts.slice(1));
  };
  const glob = (pattern: string[], text: string[]): boolean => {
    const [first, ...rest] = pattern;
    if (first === undefined) return text.length === 0;
    if (first === "*") return glob(rest, text) || (text.length > 0 && glob(pattern, text.slice(1)));
    return first === text[0] && glob(rest, text.slice(1));
  };
  const parts = id.split("/");
  return over(selector.split("/"), parts) || over([...selector.split("/"), "**"], parts);
}

Deno.test("matches() agrees with a naive matcher on any pattern and id", () => {
  fc.assert(
    fc.property(fc.oneof(pattern, id), id, (selector, id) => {
      assert.equal(matches(selector, id), naive(selector, id));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("matches() agrees that an id selects itself and all its folders do", () => {
  fc.assert(fc.property(id, (id) => {
    const parts = id.split("/");
    for (let i = 1; i <= parts.length; i++) assert.ok(matches(parts.slice(0, i).join("/"), id));
    assert.ok(matches("**", id));
    assert.ok(matches(parts.map(() => "*").join("/"), id));
  }));
});

Deno.test("select() keeps the items' order and takes each once", () => {
  assert.deepEqual(ids("stream/peek", "stream/**", "stream/close/b"), [
    "stream/close/a",
    "stream/close/b",
    "stream/peek/a",
  ]);
  assert.equal(ids().length, ITEMS.length, "all without a selector");
});

Deno.test("select() leaves out what a selector with ! in front matches", () => {
  assert.deepEqual(ids("!stream"), ["seqpacket/peek/a"]);
  assert.deepEqual(ids("stream", "!*/peek"), ["stream/close/a", "stream/close/b"]);
  assert.deepEqual(ids("!*/close", "stream"), ["stream/peek/a"], "in any order");
  assert.deepEqual(ids("stream/close", "!seqpacket"), ["stream/close/a", "stream/close/b"]);
});

/** What is said of selectors that cannot be used. */
function refusal(...selectors: string[]): string {
  try {
    ids(...selectors);
  } catch (error) {
    assert.ok(error instanceof UnmatchedSelectorError, String(error));
    return error.message;
  }
  return assert.fail("it was taken");
}

Deno.test("select() refuses a selector that matches nothing, and one that leaves nothing", () => {
  assert.equal(
    refusal("xyz"),
    'Cannot select "xyz": no case matches (the command "list" shows all)',
  );
  assert.match(
    refusal("!strem"),
    /^Cannot select "!strem": no case matches; did you mean !stream\?/,
  );
  assert.match(refusal("stream/peek", "!*/peek"), /^Cannot select "!\*\/peek": no case is left/);
});

Deno.test("select() names the id or the folder that is spelt most like what was given", () => {
  const meant: readonly (readonly [string, string | undefined])[] = [
    ["stream/clos", "stream/close"],
    ["strem", "stream"],
    ["seqpaket", "seqpacket"],
    ["packet/peek", "seqpacket/peek"],
    ["stream/close/ab", "stream/close/a"],
    // The end of an id, when nothing else is like it.
    ["colse", "stream/close"],
    ["peak", "stream/peek"],
    ["close/b", "stream/close/b"],
    // What stands in place of anything is none of the word.
    ["strem/**", "stream"],
    ["strem/*", "stream"],
    ["frobnicate", undefined],
    ["x", undefined],
    ["", undefined],
  ];
  for (const [selector, nearest] of meant) {
    const [, hint] = /did you mean (.+?)\? \(/.exec(refusal(selector)) ?? [];
    assert.equal(hint, nearest, selector);
  }
});

Deno.test("select() has something to say of any selector", () => {
  fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), pattern), (selector) => {
    try {
      ids(selector);
    } catch (error) {
      assert.ok(error instanceof UnmatchedSelectorError, String(error));
    }
  }));
});
