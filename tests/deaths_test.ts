import assert from "node:assert/strict";
import { deaths, runWithDeath, wrongWith } from "./support/deaths.ts";
import { childrenOf, isAlive, runTool, startAgent, Tool } from "./support/tool.ts";
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

/** Waits until a process of an agent's is at a step, by what it writes down for its successor. */
async function isAt(pid: number, step: RegExp): Promise<void> {
  const line = (await Deno.readTextFile(`/proc/${pid}/cmdline`)).split("\0");
  const path = line[line.indexOf("--testament") + 1] ?? assert.fail("it writes nothing down");
  const deadline = performance.now() + 20_000;
  while (!step.test(await Deno.readTextFile(path))) {
    assert.ok(performance.now() < deadline, `it never came to ${step}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Makes a process of the tool's stop for good in the midst of a case that blocks. */
async function during(
  act: (agent: number) => void,
  timeout: string,
): Promise<{ code: number; stdout: string }> {
  const name = freshName();
  const { tool: agent, address } = await startAgent("--stand-in", name);
  await using _agent = agent;
  const stand = ["--peer-cid", "1", "--stand-in", name, "--agent", address];
  // Of the first one both sides wait, the client in a read that takes a second.
  const cases = ["seqpacket/rcvtimeo", "seqpacket/msg-peek"];
  const [pid = 0] = await childrenOf(agent.pid);
  await using run = new Tool(["run", ...stand, "--ktap", "--case-timeout", timeout, ...cases]);
  await isAt(pid, /read\(|recv\(/);
  act(pid);
  return await run.ended();
}

Deno.test("a side whose process died is broken, names its last step, and the next case passes", async () => {
  const { stdout, code } = await during((pid) => Deno.kill(pid, "SIGABRT"), "30");
  assert.match(stdout, /# client: its process died: SIGABRT\n/);
  assert.match(stdout, /# client: last step: .+\n/);
  assert.match(stdout, /# server: stopped: the client is lost\n/);
  assert.match(stdout, /not ok 1 seqpacket\/rcvtimeo\/ends-read-with-eagain # ERROR /);
  assert.match(stdout, /\n {2}ok 2 seqpacket\/msg-peek\/leaves-message\n/);
  assert.equal(code, 2);
});

Deno.test("a side whose process hangs times out, and the next case passes", async () => {
  const { stdout, code } = await during((pid) => Deno.kill(pid, "SIGSTOP"), "1.5");
  assert.match(stdout, /# client: it had not ended after 1.5 s, and its process could not say so/);
  assert.match(stdout, /not ok 1 seqpacket\/rcvtimeo\/ends-read-with-eagain # TIMEOUT /);
  assert.match(stdout, /\n {2}ok 2 seqpacket\/msg-peek\/leaves-message\n/);
  assert.equal(code, 1);
});

Deno.test("agent leaves no process behind, however it ends", async () => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
    const { tool: agent } = await startAgent("--stand-in", freshName());
    await using _agent = agent;
    const children = await childrenOf(agent.pid);
    assert.equal(children.length, 1);
    agent.interrupt(signal);
    await agent.ended();
    const deadline = performance.now() + 5000;
    while (await isAlive(children[0] ?? 0)) {
      assert.ok(performance.now() < deadline, `a process outlived ${signal}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
});

Deno.test("agent ends, and is not started anew, where it cannot listen or is not used rightly", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const stand = ["--peer-cid", "1", "--stand-in", "x"];
  const { code, stderr } = await runTool(
    ["agent", "--listen", `127.0.0.1:${taken.addr.port}`, ...stand],
  );
  assert.equal(code, 2);
  assert.equal(stderr.match(/the port is taken/g)?.length, 1);
});
