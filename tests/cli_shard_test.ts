/**
 * Runs that are split over machines: `--shard`, and `report merge`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseReport } from "../report/schema.ts";
import { runTool, startAgent } from "./support/tool.ts";
import { freshName } from "./support/unix_pair.ts";

const CASES = ["stream/msg-peek", "seqpacket/msg-trunc", "stream/connect/refused-without-socket"];

Deno.test("shards have the verdicts of the whole run, and merge to its report", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-shards-" });
  const name = freshName();
  const { tool: agent, address } = await startAgent("--stand-in", name);
  await using _agent = agent;
  const run = async (file: string, ...more: string[]) => {
    const path = `${folder}/${file}.json`;
    const target = ["--peer-cid", "1", "--agent", address, "--stand-in", name];
    await runTool(["run", ...target, "--report", `json=${path}`, ...more, ...CASES]);
    return path;
  };
  const outcomes = async (path: string) => {
    const { cases } = parseReport(await Deno.readTextFile(path), path);
    return cases.map(({ id, verdict }) => `${id} ${verdict?.outcome}`).sort();
  };
  try {
    const whole = await run("whole");
    const shards = [await run("1", "--shard", "1/2"), await run("2", "--shard", "2/2")];
    const merged = `${folder}/merged.json`;
    const { code, stderr } = await runTool(["report", "merge", ...shards, "-o", merged]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(await outcomes(merged), await outcomes(whole));
    for (const shard of shards) assert.ok((await outcomes(shard)).length > 0);
    const half = await runTool(["report", "merge", shards[1] ?? ""]);
    const { stopped } = parseReport(half.stdout, "half");
    assert.equal(stopped?.reason, "there is no shard 1 of 2");
    const twice = await runTool(["report", "merge", whole, merged]);
    assert.match(twice.stderr, /Cannot merge: \S+ \(loopback\) is in report 1 and in report 2/);
    assert.equal(twice.code, 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a shard that cannot be, or has no family, is refused", async () => {
  const shard = async (text: string) => {
    const args = ["run", "--peer-cid", "1", "--agent", "127.0.0.1:1", "--shard", text, ...CASES];
    const { code, stderr } = await runTool(args);
    assert.equal(code, 2, stderr);
    return stderr;
  };
  for (const text of ["0/2", "3/2", "1", "a/b"]) {
    assert.match(await shard(text), /2\/5: the second/);
  }
  assert.match(await shard("3/3"), /Shard 3 of 3 has no cases: families stay whole/);
});
