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
  assert.ok(!matches("stream/*", "stream/close/a"), "* is one part");
  assert.ok(!matches("*", "stream/close/a"));
  assert.ok(!matches("close", "stream/close/a"));
});

Deno.test("matches() takes a folder for all below it", () => {
  for (const selector of ["stream", "stream/", "stream/close", "stream/close//"]) {
    assert.ok(matches(selector, "stream/close/a"), selector);
  }
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
  if (over(selector.split("/"), parts)) return true;
  return !selector.includes("*") && over([...selector.split("/"), "**"], parts);
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

Deno.test("select() refuses a selector that matches nothing, and names one like it", () => {
  assert.throws(() => ids("stream/**", "packet/peek"), (error) => {
    assert.ok(error instanceof UnmatchedSelectorError);
    assert.match(error.message, /"packet\/peek": no case matches; did you mean \w+\/peek\/a\?/);
    return true;
  });
  assert.throws(() => ids("xyz"), { message: /no case matches \(the command "list" shows all\)/ });
});
