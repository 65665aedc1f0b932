import assert from "node:assert/strict";
import { Baseline } from "../core/baseline.ts";
import { CATALOGUE } from "../suites/catalogue.ts";

const FOLDER = new URL("../fixtures/baselines/", import.meta.url);

Deno.test("the baselines of fixtures/ can be read, and name cases that docs/kernels.md explains", async () => {
  const explained = await Deno.readTextFile(new URL("../docs/kernels.md", import.meta.url));
  const ids = CATALOGUE.map(({ id }) => id);
  let read = 0;
  for await (const { name } of Deno.readDir(FOLDER)) {
    const text = await Deno.readTextFile(new URL(name, FOLDER));
    Baseline.parse(text, name, ids);
    read++;
    for (const [, id = ""] of text.matchAll(/^([a-z]\S+)/gm)) {
      const claim = id.slice(id.lastIndexOf("/") + 1);
      assert.ok(explained.includes(claim), `${name}: ${id}`);
    }
  }
  assert.ok(read >= 2);
});
