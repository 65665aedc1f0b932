import assert from "node:assert/strict";
import { parseReport } from "../report/schema.ts";
import { runTool, startAgent } from "./support/tool.ts";
import { freshName } from "./support/unix_pair.ts";

/** A case that AF_UNIX fails, since it refuses instead of resetting, and one that it passes. */
const FAILS = "stream/connect/refused-without-socket";
const PASSES = "stream/msg-peek/leaves-data";

/** An agent over the stand-in, and what runs cases with it. */
async function standIn() {
  const name = freshName();
  const { tool, address } = await startAgent("--stand-in", name);
  const folder = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  return {
    folder,
    run: (...args: string[]) =>
      runTool([
        ...["run", "--peer-cid", "1", "--agent", address, "--stand-in", name],
        // A machine that stands still for a while must not reach the deadline of a case.
        ...["--case-timeout", "60", ...args],
      ]),
    async [Symbol.asyncDispose]() {
      await Deno.remove(folder, { recursive: true });
      await tool[Symbol.asyncDispose]();
    },
  };
}

Deno.test("--baseline expects what is known to fail, and fails what passes in spite of it", async () => {
  await using tool = await standIn();
  const baseline = `${tool.folder}/known.txt`;
  const run = async (lines: string, ...args: string[]) => {
    await Deno.writeTextFile(baseline, lines);
    return await tool.run("--baseline", baseline, ...args);
  };
  const known = await run(`${FAILS} # AF_UNIX refuses`, FAILS, PASSES, "--ktap");
  assert.equal(known.code, 0, known.stdout + known.stderr);
  assert.match(known.stdout, /ok 1 stream\/connect\/refused-without-socket # XFAIL known: AF_UNIX/);
  assert.match(known.stderr, /xfail .* stream\/connect\/refused-without-socket\n/);
  assert.match(known.stderr, /1 passed, 0 failed, 1 failed as expected/);
  const passes = await run(`${PASSES} # once`, PASSES);
  assert.equal(passes.code, 1);
  assert.match(
    passes.stdout,
    /XPASS .*\n +it passed, but \S+known.txt:1 says that it fails \(once\)/,
  );
  const stale = await run("stream/gone # once", PASSES);
  assert.equal(stale.code, 2);
  assert.match(stale.stderr, /^error: \S+known.txt:1: no case matches "stream\/gone"/);
  const absent = await tool.run("--baseline", `${tool.folder}/absent`, PASSES);
  assert.equal(absent.code, 2);
  assert.match(absent.stderr, /^error: Cannot read the baseline \S+absent: /);
});

Deno.test("--repeat runs all again, names what is flaky, and reports each case once", async () => {
  await using tool = await standIn();
  const json = `${tool.folder}/run.json`;
  const args = ["--repeat", "3", "--shuffle", "--seed", "5", "--ktap", "--report", `json=${json}`];
  const { code, stdout, stderr } = await tool.run(...args, FAILS, PASSES);
  assert.equal(code, 1);
  assert.match(stderr, /\nround 1 of 3, seed 5\n[^]*\nround 2 of 3, seed \d+\n[^]*\nround 3 of 3/);
  assert.match(stderr, /\n0 flaky\n\nfailed \(1\)\n[^]*\n\n3 passed, 3 failed in /);
  const report = parseReport(await Deno.readTextFile(json), json);
  assert.equal(report.rounds, 3);
  const outcomes = new Map(report.cases.map(({ id, outcomes }) => [id, outcomes]));
  assert.deepEqual(outcomes, new Map([[FAILS, { fail: 3 }], [PASSES, { pass: 3 }]]));
  assert.equal(stdout.match(/^ {2}(not )?ok /gm)?.length, 2, "KTAP has one result a case");
  const html = await runTool(["report", "html", json]);
  assert.match(html.stdout, /2 cases in one direction, 3 rounds/);
});

Deno.test("--jobs gives the verdicts of a run without, and refuses what has no room", async () => {
  await using tool = await standIn();
  // AF_UNIX has no SO_RCVLOWAT for poll(), so that one of them fails there now and then.
  const cases = ["stream/**", "!stream/unread/**", "seqpacket/msg-*/*", "seqpacket/rcvtimeo"];
  const outcomes = async (...args: string[]) => {
    const json = `${tool.folder}/run.json`;
    const { stdout } = await tool.run("--seed", "7", ...args, "--report", `json=${json}`, ...cases);
    const report = parseReport(await Deno.readTextFile(json), json);
    assert.equal(report.stopped, undefined, stdout);
    return report.cases.map(({ id, verdict }) => `${id} ${verdict?.outcome}`);
  };
  assert.deepEqual(await outcomes("--jobs", "4"), await outcomes());
  const refused = await tool.run("--peer-port", "4294967279", "--jobs", "2", ...cases);
  assert.equal(refused.code, 2);
  assert.match(
    refused.stderr,
    /^error: --peer-port 4294967279 leaves too few ports after it for 2 jobs/,
  );
});

Deno.test("--until-failure repeats until something fails", async () => {
  await using tool = await standIn();
  const fails = await tool.run("--until-failure", "--seed", "5", PASSES, FAILS);
  assert.equal(fails.code, 1);
  assert.match(fails.stdout, /\nround 1, seed 5\n/);
  assert.match(fails.stdout, /stopped: --until-failure: stream\/connect\/refused.* is fail/);
  const passes = await tool.run("--until-failure", "--repeat", "2", PASSES);
  assert.equal(passes.code, 0, passes.stdout);
  assert.match(passes.stdout, /\n2 passed, 0 failed/);
});
