import assert from "node:assert/strict";
import { missingPaths } from "./document_paths.ts";

/** A small repository, whose README says something. */
async function problemsOf(readme: string): Promise<string[]> {
  const root = await Deno.makeTempDir({ prefix: "vsock-paths-" });
  try {
    await Deno.mkdir(`${root}/docs`);
    await Deno.mkdir(`${root}/tools`);
    await Deno.mkdir(`${root}/wire`);
    await Deno.writeTextFile(`${root}/tools/there.ts`, "");
    await Deno.writeTextFile(`${root}/docs/there.md`, "`tools/testing/vsock` [x](../README.md#x)");
    for (const name of ["CONTRIBUTING", "SECURITY", "CHANGELOG"]) {
      await Deno.writeTextFile(`${root}/${name}.md`, "");
    }
    await Deno.writeTextFile(`${root}/README.md`, readme);
    return await missingPaths(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("missingPaths() finds named files and links that are not there, with their line", async () => {
  const good = "`tools/there.ts` `tools/` `stream/close` `a b` `*.ts` [x](docs/there.md#a) [y](#z)";
  assert.deepEqual(await problemsOf(good), []);
  assert.deepEqual(await problemsOf("\n`tools/gone.ts` and [x](docs/gone.md)\n`mod.ts`"), [
    "README.md:2: there is no tools/gone.ts",
    "README.md:3: there is no mod.ts",
    "README.md:2: there is no docs/gone.md",
  ]);
});

Deno.test("missingPaths() tells the cases of a family from the files of its namesake", async () => {
  const wrong = ["README.md:1: there is no wire/gone.ts"];
  assert.deepEqual(await problemsOf("`wire/credit/overrun` `wire/gone.ts`"), wrong);
});

Deno.test("missingPaths() takes no link to elsewhere for a path", async () => {
  assert.deepEqual(await problemsOf("[x](https://example.org/gone.md)"), []);
});
