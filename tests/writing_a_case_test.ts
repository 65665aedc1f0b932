import assert from "node:assert/strict";

/** A file of the repository, as text. */
async function textOf(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(`../${path}`, import.meta.url));
}

/** The blocks of TypeScript that the document shows. */
async function blocks(): Promise<string[]> {
  const found = (await textOf("docs/writing_a_case.md")).matchAll(/```ts\n([^]*?)```/g);
  return [...found].map(([, block = ""]) => block);
}

Deno.test("docs/writing_a_case.md shows the files that it names, as they are", async () => {
  const [whole, rows, own, ...others] = await blocks();
  const file = "suites/seqpacket/msg_trunc.ts";
  assert.equal(whole, await textOf(file), `the document quotes ${file}: add cases to other files`);
  assert.equal(own, await textOf("docs/examples/own_case.ts"));
  const mutations = await textOf("tests/mutations/seqpacket.ts");
  const parts = rows?.trimEnd().split("\n\n") ?? [];
  assert.equal(parts.length, 3);
  assert.deepEqual(parts.filter((part) => !mutations.includes(part)), []);
  assert.deepEqual(others, []);
});
