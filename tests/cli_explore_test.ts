/**
 * The command `explore`, with an agent whose sockets are AF_UNIX's: those differ from AF_VSOCK's, so
 * that something is found soon.
 *
 * @module
 */
import assert from "node:assert/strict";
import { RULE_IDS } from "../model/rules.ts";
import { parseReport } from "../report/schema.ts";
import { runTool, startAgent } from "./support/tool.ts";
import { freshName } from "./support/unix_pair.ts";

Deno.test("explore finds what differs, keeps it, and replay plays it again", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  try {
    const agent = await startAgent("--stand-in", freshName());
    await using _tool = agent.tool;
    const where = ["--agent", agent.address];
    const path = `${folder}/found.json`;
    const found = await runTool(
      ["explore", ...where, "--for", "60", "--seed", "2", "--save", path],
    );
    assert.equal(found.code, 1, found.stderr);
    assert.match(found.stdout, /^exploring loopback, Linux \S+, seed 2\n\d+ calls in \d+ programs/);
    assert.match(
      found.stdout,
      /\nfailed with seed \d+, [^]*\n {2}1\. [^]*\n {5}allowed: .* by \S+/,
    );
    const again = await runTool(["explore", "replay", path, ...where]);
    assert.equal(again.code, 1, again.stderr);
    assert.match(again.stdout, /^reproduced 10 of 10 times\n {2}1\. /);
    const story = `${folder}/story.txt`;
    await Deno.writeTextFile(story, found.stdout);
    const told = await runTool(["explore", "replay", story, ...where]);
    assert.equal(told.stdout, again.stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what explore found is a case that fails the same way", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  try {
    const name = freshName();
    const agent = await startAgent("--stand-in", name);
    await using _tool = agent.tool;
    const where = ["--agent", agent.address];
    const path = `${folder}/found.json`;
    await runTool(["explore", ...where, "--for", "60", "--seed", "2", "--save", path]);
    const { stdout: text, code } = await runTool(["explore", "case", path]);
    assert.equal(code, 0);
    const file = `${folder}/found_case.ts`;
    await Deno.writeTextFile(file, text);
    const other = await startAgent("--stand-in", name, "--cases", file);
    await using _other = other.tool;
    const all = ["--agent", other.address, "--peer-cid", "1", "--stand-in", name, "--cases", file];
    const ran = await runTool(["run", ...all, "found"]);
    assert.equal(ran.code, 1, ran.stdout + ran.stderr);
    const allowed = /^ +allowed: .*$/m.exec(await storyOf(path, where))?.[0].trim();
    assert.ok(allowed !== undefined && ran.stdout.includes(allowed), ran.stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function storyOf(path: string, where: readonly string[]): Promise<string> {
  return (await runTool(["explore", "replay", path, ...where])).stdout;
}

Deno.test("explore records what was answered, diff compares it, and a report has every rule", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  try {
    const [a, b, json, junit] = ["a.json", "b.json", "r.json", "r.xml"].map((n) =>
      `${folder}/${n}`
    );
    assert.ok(a && b && json && junit);
    for (const path of [a, b]) {
      const agent = await startAgent("--stand-in", freshName());
      await using _tool = agent.tool;
      const options = ["--for", "60", "--seed", "2", "--record", path];
      const reports = ["--report", `json=${json}`, "--report", `junit=${junit}`];
      const { code } = await runTool(["explore", "--agent", agent.address, ...options, ...reports]);
      assert.equal(code, 1);
    }
    const same = await runTool(["explore", "diff", a, b]);
    assert.equal(same.code, 0, same.stdout + same.stderr);
    assert.match(same.stdout, /^no difference in \d+ programs\n$/);
    const text = await Deno.readTextFile(b);
    await Deno.writeTextFile(b, text.replace(/"errno":"[A-Z]+"/, '"errno":"EPERM"'));
    const differs = await runTool(["explore", "diff", a, b]);
    assert.equal(differs.code, 1, differs.stderr);
    assert.match(differs.stdout, /^program \d+ \(seed \d+\) differs at call \d+:\n[^]*: EPERM\n$/);
    const report = parseReport(await Deno.readTextFile(json), json);
    assert.deepEqual(report.cases.slice(0, RULE_IDS.length).map(({ id }) => id.slice(6)), RULE_IDS);
    const failed = report.cases.filter(({ verdict }) => verdict?.outcome === "fail");
    assert.equal(failed.length, 1);
    assert.match(failed[0]?.verdict?.reasons.join("\n") ?? "", /^failed with seed \d+/);
    assert.match(await Deno.readTextFile(junit), /<failure/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("explore says what it cannot do, and why", async () => {
  const agent = await startAgent("--stand-in", freshName(), "--ports", "5000-5100");
  await using _tool = agent.tool;
  const at = ["--agent", agent.address];
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [
      [...at],
      /^error: --peer-port 1234: the ports 1234 to 1249 are used, but/,
    ],
    [
      ["replay", "/nowhere.json", ...at],
      /^error: Cannot read the finding \/nowhere/,
    ],
    [["replay", "deno.json", ...at], /^error: deno\.json is not a finding/],
    [
      ["--seed", "1", "replay", "deno.json", ...at],
      /--seed does nothing before/,
    ],
  ];
  for (const [args, message] of wrong) {
    const { code, stderr, stdout } = await runTool(["explore", ...args]);
    assert.equal(code, 2, stdout);
    assert.match(stderr, message);
  }
});
