import assert from "node:assert/strict";
import { Baseline } from "../core/baseline.ts";
import { knownIssueOf } from "../core/known_issues.ts";
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

Deno.test("the baselines of fixtures/ name known issues as core/known_issues.ts does", async () => {
  const kernels = [["6.1", "6.1.192"], ["6.12", "6.12.117"], ["7.3", "7.3.4"]] as const;
  const directions = ["loopback", "guest-server"] as const;
  for (const [version, kernel] of kernels) {
    const file = new URL(`linux-${version}.txt`, FOLDER);
    const lines = [
      ...(await Deno.readTextFile(file)).matchAll(/^([a-z]\S+)(.*)# known: (K-\d+):/gm),
    ];
    for (const direction of directions) {
      const listed = lines.filter(([, , where = ""]) =>
        !where.includes("loopback") || direction === "loopback"
      ).map(([, id, , name]) => `${id} ${name}`);
      const named = CATALOGUE.flatMap(({ id }) => {
        const issue = knownIssueOf({ id, direction, kernels: [kernel] });
        const said = `${id} ${issue?.name}`;
        const isLeftOut = issue?.isRace && !listed.includes(said);
        return issue === undefined || isLeftOut ? [] : [said];
      });
      assert.deepEqual(new Set(listed), new Set(named), `${version} ${direction}`);
    }
  }
});
