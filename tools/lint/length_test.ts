import assert from "node:assert/strict";
import length from "./length.ts";

/** What the rules say of a file of that text. */
function complaints(text: string): string[] {
  return Deno.lint.runPlugin(length, "file.ts", text).map(({ id, message }) => `${id}: ${message}`);
}

const statements = (count: number) => "  step();\n".repeat(count);

Deno.test("a file may have 320 lines, and not one more", () => {
  assert.deepEqual(complaints("step();\n".repeat(320)), []);
  assert.deepEqual(complaints("step();\n".repeat(321)), [
    "length/file: The file has 321 lines, which is more than 320",
  ]);
});

Deno.test("a function of any kind may have 45 lines, and not one more", () => {
  const kinds = [
    ["function f() {\n", "}\n"],
    ["const f = () => {\n", "};\n"],
    ["class C { m() {\n", "} }\n"],
  ] as const;
  for (const [begin, end] of kinds) {
    assert.deepEqual(complaints(`${begin}${statements(43)}${end}`), [], begin);
    assert.deepEqual(complaints(`${begin}${statements(44)}${end}`), [
      "length/function: The function has 46 lines, which is more than 45",
    ], begin);
  }
});

Deno.test("a function that only gives what is written in it may be longer, but not those in it", () => {
  const rows = "    [1, 2],\n".repeat(60);
  assert.deepEqual(complaints(`const f = () => [\n${rows}];\n`), []);
  assert.deepEqual(complaints(`function f() {\n  const a = 1;\n  return [\n${rows}];\n}\n`), []);
  const inner = `() => {\n${statements(50)}}`;
  assert.equal(complaints(`const f = () => ({ a: ${inner} });\n`).length, 1);
  assert.equal(complaints(`function f() {\n  step();\n  return [\n${rows}];\n}\n`).length, 1);
});

Deno.test("the steps of a test count for themselves, and what it does besides them counts", () => {
  const step = `  await t.step("x", async () => {\n${statements(40)}  });\n`;
  const test = (body: string) => `Deno.test("x", async (t) => {\n${body}});\n`;
  assert.deepEqual(complaints(test(step.repeat(4))), []);
  assert.equal(complaints(test(step + statements(42))).length, 1);
  assert.equal(complaints(test(step.replace(statements(40), statements(44)))).length, 1);
});
