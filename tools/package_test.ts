import assert from "node:assert/strict";
import { examplesOf, undocumented } from "./package.ts";

Deno.test("examplesOf() gives the programs of the first comment, and of no other", () => {
  const text = "/**\n * A.\n *\n * ```ts\n * one();\n *\n *   two();\n * ```\n */\n" +
    "/** ```ts\n * no();\n * ``` */\n";
  assert.deepEqual(examplesOf(text), ["one();\n\n  two();\n"]);
  assert.deepEqual(examplesOf("/** Nothing. */"), []);
});

Deno.test("undocumented() finds a public symbol without a comment", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-package-" });
  try {
    const path = `${folder}/mod.ts`;
    await Deno.writeTextFile(
      path,
      "export const a: number = 1;\n/** B. */\nexport const b: number = 1;",
    );
    assert.match(
      (await undocumented([path])).join("\n"),
      /^\S+mod\.ts:1:14: exported symbol is missing/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
