import assert from "node:assert/strict";
import { deaths, runWithDeath, wrongWith } from "./support/deaths.ts";
import { HoldingAgent } from "./support/holding_agent.ts";
import { childrenOf, isAlive, isAtStep, runTool, Tool, until } from "./support/tool.ts";
import { freshName } from "./support/unix_pair.ts";

/** How many runs; tools/deaths.ts makes as many as one likes. */
const RUNS = 5;

Deno.test("a run ends with its report whenever a process of its agents is killed", async () => {
  const moments = deaths(1, 600);
  for (let i = 0; i < RUNS; i++) {
    const [victim, milliseconds] = moments.next().value;
    const result = await runWithDeath(victim, milliseconds);
    const wrong = wrongWith(victim, result);
    assert.equal(
      wrong,
      undefined,
      `${victim} after ${milliseconds} ms: ${result.stdout}${result.stderr}`,
    );
  }
});

/** A case in which the server's process is blocked for as long as its client does nothing. */
const BLOCKS = "seqpacket/rcvtimeo/ends-read-with-eagain";

/** Makes the process of a run's own agent stop for good while it is blocked in a case. */
async function during(
  act: (agent: number) => void,
  timeout: string,
): Promise<{ code: number; stdout: string }> {
  const name = freshName();
  await using client = new HoldingAgent(name, BLOCKS);
  const stand = ["--peer-cid", "1", "--stand-in", name, "--agent", client.address];
  const cases = [BLOCKS, "seqpacket/msg-peek"];
  await using run = new Tool(["run", ...stand, "--ktap", "--case-timeout", timeout, ...cases]);
  await run.says(/cases, seed/);
  const [pid = 0] = await childrenOf(run.pid);
  await isAtStep(pid, /accept4\(/);
  act(pid);
  return await run.ended();
}

Deno.test("a side whose process died is broken, names its last step, and the next case passes", async () => {
  const { stdout, code } = await during((pid) => Deno.kill(pid, "SIGABRT"), "60");
  assert.match(stdout, /# server: its process died: SIGABRT\n/);
  assert.match(stdout, /# server: last step: accept4\(\d+\)\n/);
  assert.match(stdout, /# client: stopped: lost contact with the server\n/);
  assert.match(stdout, /not ok 1 seqpacket\/rcvtimeo\/ends-read-with-eagain # ERROR /);
  assert.match(stdout, /\n {2}ok 2 seqpacket\/msg-peek\/leaves-message\n/);
  assert.equal(code, 2);
});

Deno.test("a side whose process hangs times out, and the next case passes", async () => {
  // The deadline of the next case, too: a machine that stands still for a while must not reach it.
  const { stdout, code } = await during((pid) => Deno.kill(pid, "SIGSTOP"), "10");
  assert.match(stdout, /# server: it had not ended after 10 s, and its process did not respond/);
  assert.match(stdout, /not ok 1 seqpacket\/rcvtimeo\/ends-read-with-eagain # TIMEOUT /);
  assert.match(stdout, /\n {2}ok 2 seqpacket\/msg-peek\/leaves-message\n/);
  assert.equal(code, 1);
});

Deno.test("agent leaves no process and no file behind, however it ends", async () => {
  const folder = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  const stand = ["--peer-cid", "1", "--stand-in", freshName()];
  try {
    for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
      const args = ["agent", ...stand, "--listen", "127.0.0.1:0"];
      await using agent = new Tool(args, { env: { TMPDIR: folder } });
      await agent.says(/listening on /);
      const children = await childrenOf(agent.pid);
      assert.equal(children.length, 1);
      agent.interrupt(signal);
      await agent.ended();
      await until(async () => !(await isAlive(children[0] ?? 0)), `a process outlived ${signal}`);
      const left = await Array.fromAsync(Deno.readDir(folder));
      assert.deepEqual(left.map(({ name }) => name), [], `a file outlived ${signal}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("agent ends, and is not started anew, where it cannot listen or is not used rightly", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const stand = ["--peer-cid", "1", "--stand-in", "x"];
  const { code, stderr } = await runTool(
    ["agent", "--listen", `127.0.0.1:${taken.addr.port}`, ...stand],
  );
  assert.equal(code, 2);
  assert.equal(stderr.match(/the port is in use/g)?.length, 1);
});
