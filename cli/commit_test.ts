import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { toolCommit } from "./commit.ts";

async function git(folder: string, ...args: string[]): Promise<string> {
  const identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"];
  const { success, stdout } = await new Deno.Command("git", {
    args: ["-C", folder, ...identity, ...args],
  }).output();
  assert.ok(success, args.join(" "));
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("toolCommit() names the commit of a clone, and says where files differ from it", async () => {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "vsock-conformance-test-" }));
  try {
    const at = (path: string) => toolCommit(pathToFileURL(`${folder}/${path}`));
    assert.equal(await at(""), undefined, "no repository");
    await Deno.mkdir(`${folder}/below`);
    await Deno.writeTextFile(`${folder}/below/a`, "a");
    await git(folder, "init", "-q");
    await git(folder, "add", ".");
    await git(folder, "commit", "-qm", "one");
    await git(folder, "tag", "v1");
    const commit = await git(folder, "rev-parse", "HEAD");
    assert.equal(await at(""), commit);
    assert.equal(await at("below/"), undefined, "the repository is another's");
    await Deno.writeTextFile(`${folder}/below/a`, "b");
    assert.equal(await at(""), `${commit}-dirty`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("toolCommit() knows none of a tool that is not on this disk", async () => {
  assert.equal(await toolCommit(new URL("https://example.org/tool/")), undefined);
});
