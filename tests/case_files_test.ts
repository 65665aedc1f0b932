import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { bundleWithCases } from "../lab/image/bundle.ts";
import { runTool, startAgent } from "./support/tool.ts";
import { freshName } from "./support/unix_pair.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const EXAMPLE = `${ROOT}/docs/examples/own_case.ts`;
const ID = "example/send/keeps-order";

Deno.test("run and agent with --cases run somebody else's case on both sides", async () => {
  const standIn = ["--stand-in", freshName()];
  const { tool, address } = await startAgent("--cases", EXAMPLE, ...standIn);
  await using _agent = tool;
  const run = ["run", "--peer-cid", "1", "--agent", address, ...standIn];
  const ended = await runTool([...run, "--cases", EXAMPLE, "example", "stream/shutdown"]);
  assert.equal(ended.code, 0, ended.stderr);
  assert.match(ended.stdout, new RegExp(`pass +\\d+ ms +${ID}\\n`));
  assert.match(ended.stdout, /pass +\d+ ms +stream\/shutdown\/own-write-is-epipe\n/);
});

Deno.test("an agent without the case says that it lacks it: the case is broken", async () => {
  const standIn = ["--stand-in", freshName()];
  const { tool, address } = await startAgent(...standIn);
  await using _agent = tool;
  const run = ["run", "--peer-cid", "1", "--agent", address, ...standIn];
  const ended = await runTool([...run, "--cases", EXAMPLE, ID]);
  assert.equal(ended.code, 2, ended.stderr);
  assert.match(ended.stdout, new RegExp(`has no case ${ID}`));
});

Deno.test("list and explain with --cases show somebody else's case beside the catalogue", async () => {
  const listed = await runTool(["list", "--cases", EXAMPLE, "example", "stream/shutdown"]);
  assert.match(listed.stdout, new RegExp(`^stream/shutdown/.*\n.*\n${ID} .*\n$`));
  const explained = await runTool(["explain", "--cases", EXAMPLE, ID]);
  assert.match(explained.stdout, new RegExp(`^${ID}\n`));
  const without = await runTool(["explain", ID]);
  assert.equal(without.code, 2);
});

/** What a file may have that is no use, and what is said of it. */
const WRONG: readonly (readonly [what: string, text: string, error: RegExp])[] = [
  ["no cases", "export const others = [];", /exports no cases: it must have "export const cases/],
  ["none in them", "export const cases = [];", /exports no cases/],
  ["no case", "export const cases = [{}];", /one has no client/],
  ["no program", "export const cases = [", /Cannot load the cases of .*: /],
  [
    "an id of the catalogue",
    caseText("stream/close/by-client-keeps-data"),
    /there is a case stream/,
  ],
  ["an id of another form", caseText("close"), /"close": it must read family\/topic\/claim/],
  ["an import that is not there", 'import "./nothing.ts";', /Cannot load .*nothing\.ts/],
];

function caseText(id: string): string {
  return `export const cases = [{ id: "${id}", title: "", requirement: "it MUST", does: {
    client: "does" }, refs: [{ kind: "kernel", function: "f" }], client() {} }];`;
}

Deno.test("a file of cases that cannot be used is refused, with the reason", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-cases-" });
  try {
    const path = `${folder}/mine.ts`;
    for (const [what, text, error] of WRONG) {
      await t.step(what, async () => {
        await Deno.writeTextFile(path, text);
        const { code, stdout, stderr } = await runTool(["list", "--cases", path]);
        assert.equal(code, 2);
        assert.equal(stdout, "");
        assert.match(stderr, error);
        assert.ok(stderr.startsWith("error: Cannot") || stderr.includes(path), stderr);
      });
    }
    for (const missing of [folder, `${folder}/nothing.ts`]) {
      const { code, stderr } = await runTool(["agent", "--peer-cid", "1", "--listen", "127.0.0.1:0"]
        .concat("--cases", missing));
      assert.equal(code, 2);
      assert.match(stderr, /^error: Cannot read the cases .*: /);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a bundle with somebody else's cases has them, and needs no files besides", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-cases-" });
  try {
    await Deno.writeFile(`${folder}/tool.js`, await bundleWithCases(ROOT, [EXAMPLE]));
    const args = ["run", "-A", "--no-config", `${folder}/tool.js`, "list", "example"];
    const command = new Deno.Command(Deno.execPath(), { args, cwd: folder });
    const { code, stdout, stderr } = await command.output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.match(new TextDecoder().decode(stdout), new RegExp(`^${ID} .*\n$`));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
