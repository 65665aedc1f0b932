/**
 * The command `explore`, with an agent whose sockets are AF_UNIX's: those differ from AF_VSOCK's, so
 * that something is found soon.
 *
 * @module
 */
import assert from "node:assert/strict";
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
      /^error: --peer-port 1234: the ports 1234 to 1249 are used, and/,
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
