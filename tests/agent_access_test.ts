/**
 * Who may use an agent, and for how long one that says nothing keeps it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connectControl } from "../control/channel.ts";
import { End } from "../runner/end.ts";
import { encodeHello } from "../control/greeting.ts";
import { encodeMessage } from "../control/wire.ts";
import { FACTS } from "./support/hostile.ts";
import { startOrder } from "./support/start_order.ts";
import { childrenOf, runTool, startAgent, Tool, type ToolOptions, until } from "./support/tool.ts";
import { freshName } from "./support/unix_pair.ts";

const TOKEN = "correct-horse-battery-staple";
const CASE = "stream/close";
const VARIABLE = "VSOCK_CONFORMANCE_TOKEN";

/** An agent that listens where this says, on a port of the system's choice. */
async function agentOn(host: string, more: readonly string[], options: ToolOptions = {}) {
  const name = freshName();
  const args = ["agent", "--peer-cid", "1", "--listen", `${host}:0`, "--stand-in", name, ...more];
  const tool = new Tool(args, options);
  const [, port = ""] = await tool.says(/listening on \S+:(\d+)\n/);
  return { tool, name, port: Number(port) };
}

/** What a run against it says. */
function runWith(
  { name, port }: { readonly name: string; readonly port: number },
  more: readonly string[] = [],
  options: ToolOptions = {},
) {
  const where = ["--peer-cid", "1", "--agent", `127.0.0.1:${port}`, "--stand-in", name];
  return runTool(["run", ...where, ...more, CASE], options);
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("an agent that others can reach prints a token, and serves whoever gives it", async () => {
  const agent = await agentOn("0.0.0.0", []);
  await using tool = agent.tool;
  const [, token = ""] = await tool.says(/^agent: .*--token (\S+)$/m);
  assert.match(token, /^[0-9a-f]{32}$/);
  const none = await runWith(agent);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /^error: the peer refused: this agent requires a token: give --token/);
  const wrong = await runWith(agent, ["--token", `${token.slice(1)}0`]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^error: the peer refused: the token is not this agent's\n/);
  const right = await runWith(agent, ["--token", token]);
  assert.equal(right.code, 0, right.stderr);
  const inVariable = await runWith(agent, [], { env: { [VARIABLE]: token } });
  assert.equal(inVariable.code, 0, inVariable.stderr);
  const [child = 0] = await childrenOf(tool.pid);
  const commandLine = await Deno.readTextFile(`/proc/${child}/cmdline`);
  assert.ok(!commandLine.includes(token), "everybody sees a process's arguments");
});

Deno.test("an agent's next process asks for the same token", async () => {
  const agent = await agentOn("0.0.0.0", []);
  await using tool = agent.tool;
  const [, token = ""] = await tool.says(/--token (\S+)$/m);
  const [child = 0] = await childrenOf(tool.pid);
  Deno.kill(child, "SIGKILL");
  await until(async () => {
    const [next] = await childrenOf(tool.pid);
    return next !== undefined && next !== child;
  }, "no process took its place");
  assert.equal((await runWith(agent)).code, 2);
  const right = await runWith(agent, ["--token", token]);
  assert.equal(right.code, 0, right.stderr);
});

Deno.test("agent and run take a token from a file, which agent makes where there is none", () =>
  withFolder(async (folder) => {
    const file = `${folder}/token`;
    for (const isNew of [true, false]) {
      const agent = await agentOn("127.0.0.1", ["--token-file", file]);
      await using _tool = agent.tool;
      const { mode } = await Deno.stat(file);
      assert.equal((mode ?? 0) & 0o777, 0o600, isNew ? "it made it" : "it left it");
      assert.equal((await runWith(agent)).code, 2);
      const { code, stderr } = await runWith(agent, ["--token-file", file]);
      assert.equal(code, 0, stderr);
      if (isNew) await Deno.writeTextFile(file, `${TOKEN}\n`);
      else assert.equal((await runWith(agent, ["--token", TOKEN])).code, 0);
    }
  }));

Deno.test("an agent asks for no token on this machine's own address, or where it is told so", async () => {
  for (const [host, ...more] of [["127.0.0.1"], ["0.0.0.0", "--allow-anyone"]] as const) {
    const agent = await agentOn(host, more);
    await using _tool = agent.tool;
    const { code, stderr } = await runWith(agent);
    assert.equal(code, 0, stderr);
  }
});

const SIDE = ["--peer-cid", "1", "--stand-in", "x"];
const AGENT = ["agent", "--listen", "127.0.0.1:0", ...SIDE];
const RUN = ["run", "--agent", "127.0.0.1:1", ...SIDE];

const BAD_USE: readonly (readonly [args: readonly string[], says: RegExp, env?: string])[] = [
  [[...AGENT, "--allow-anyone", "--token-file", "x"], /^error: --allow-anyone serves without/],
  [[...AGENT, "--allow-anyone"], /^error: --allow-anyone serves without/, TOKEN],
  [AGENT, /^error: VSOCK_CONFORMANCE_TOKEN is not a token: 16 to 200 characters/, "short"],
  [[...AGENT, "--token-file", "/dev/null"], /^error: \/dev\/null has no token: 16 to 200 char/],
  [[...AGENT, "--token-file", "/nonexistent/x"], /^error: Cannot write the token to \/nonexis/],
  [[...RUN, "--token", TOKEN, "--token-file", "x"], /^error: Give --token or --token-file/],
  [[...RUN, "--token", "short"], /^error: --token is not a token: 16 to 200 characters/],
  [[...RUN, "--token-file", "/nonexistent"], /^error: Cannot read the token in \/nonexistent/],
  [[...AGENT, "--ports", "5"], /--ports.*'5' is invalid. Write FIRST-LAST, with room for/],
  [[...AGENT, "--ports", "1000-1014"], /--ports.*is invalid. Write FIRST-LAST, with room for/],
  [[...AGENT, "--ports", "1000-4294967296"], /--ports.*is invalid/],
];

for (const [args, says, token = ""] of BAD_USE) {
  const given = token === "" ? "" : ` with ${VARIABLE}=${token}`;
  Deno.test(`the tool refuses ${args.join(" ")}${given}`, async () => {
    const { code, stderr } = await runTool(args, { env: { [VARIABLE]: token } });
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, /\n\s+at /);
    assert.equal(code, 2);
  });
}

Deno.test("run says at once that the agent's cases may not use those ports", async () => {
  const agent = await agentOn("127.0.0.1", ["--ports", "1000-1031"]);
  await using _tool = agent.tool;
  for (
    const [args, isRight] of [
      [["--peer-port", "1016"], true],
      [["--peer-port", "1017"], false],
      [["--peer-port", "1000", "--jobs", "2"], true],
      [["--peer-port", "1000", "--jobs", "3"], false],
      [[], false],
    ] as const
  ) {
    const { code, stderr } = await runWith(agent, args);
    assert.equal(code, isRight ? 0 : 2, stderr);
    if (isRight) continue;
    assert.match(stderr, /^error: --peer-port \d+: .* the agent allows 1000 to 1031.*--ports/);
  }
});

Deno.test("an agent tells a controller of another version of that", async () => {
  const { port, tool } = await agentOn("127.0.0.1", []);
  await using _tool = tool;
  using channel = await connectControl({ host: "127.0.0.1", port }, 60_000);
  await channel.writeLine('HELLO vsock-conformance/1 {"name":"controller"}');
  assert.match(
    await channel.readLine(60_000),
    /^REFUSED one side speaks vsock-conformance\/1 and /,
  );
});

Deno.test("run says that an agent which is silent may be one of another version", async () => {
  // The first version said nothing to a controller that it did not know.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const running = runTool(["run", "--agent", `127.0.0.1:${listener.addr.port}`, ...SIDE, CASE]);
  const connection = await listener.accept();
  await connection.read(new Uint8Array(1000));
  connection.close();
  const { code, stderr } = await running;
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^error: the peer closed .* instead of introducing itself; is it an agent of/,
  );
});

Deno.test("--connect-timeout bounds the greeting, too", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const started = performance.now();
  const address = `127.0.0.1:${listener.addr.port}`;
  const { code, stderr } = await runTool([
    ...["run", "--agent", address, ...SIDE, "--connect-timeout", "0.5", CASE],
  ]);
  assert.equal(code, 2);
  assert.match(stderr, /^error: the peer wrote no line for 0\.\d s/);
  assert.ok(performance.now() - started < 25_000, "it waited as long as for any agent");
});

Deno.test("an agent lets go of a controller that greets and is silent, and serves the next one", async () => {
  const { tool, name, port } = await agentOn("127.0.0.1", []);
  await using _tool = tool;
  const silent = await Deno.connect({ hostname: "127.0.0.1", port });
  await silent.write(new TextEncoder().encode(`${encodeHello(FACTS)}\n`));
  await silent.read(new Uint8Array(1000));
  const { code, stderr } = await runWith({ name, port }, ["--connect-timeout", "120"]);
  assert.equal(code, 0, stderr);
  await tool.says(/agent: 127\.0\.0\.1:\d+: the peer has been silent for 30 s\n/);
  silent.close();
});

Deno.test("connections that say nothing keep nobody from an agent", async () => {
  const { tool, name, port } = await agentOn("127.0.0.1", []);
  await using _tool = tool;
  const connect = () => Deno.connect({ hostname: "127.0.0.1", port });
  const silent = await Promise.all(Array.from({ length: 50 }, connect));
  const { code, stderr } = await runWith({ name, port }, ["--connect-timeout", "60"]);
  assert.equal(code, 0, stderr);
  for (const connection of silent) connection.close();
});

Deno.test("--once ends an agent after a controller, and not after whoever was none", async () => {
  const { tool, name, port } = await agentOn("127.0.0.1", ["--once"]);
  await using _tool = tool;
  using stranger = await Deno.connect({ hostname: "127.0.0.1", port });
  await stranger.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  await tool.says(/it wrote "GET/);
  assert.equal((await runWith({ name, port })).code, 0);
  assert.equal((await tool.ended()).code, 0);
});

Deno.test("a controller that lost its connection takes up its place again at once", async () => {
  const { tool, port } = await agentOn("127.0.0.1", []);
  await using _tool = tool;
  const greetAs = async (session: string) => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode(`${encodeHello(FACTS, { session })}\n`));
    const chunk = new Uint8Array(1000);
    const text = new TextDecoder().decode(chunk.subarray(0, await connection.read(chunk) ?? 0));
    return { connection, text };
  };
  const first = await greetAs("mine");
  const other = await greetAs("another");
  assert.match(other.text, /^BUSY another controller is using this agent\n/);
  const second = await greetAs("mine");
  assert.match(second.text, /^HELLO /);
  const chunk = new Uint8Array(1000);
  for (let got: number | null = 1; got !== null;) {
    got = await first.connection.read(chunk).catch(() => null);
  }
  for (const { connection } of [first, other, second]) connection.close();
});

/** How much an agent may grow by lines that no case reads, in kB. */
const GROWTH = 64 * 1024;

Deno.test("an agent does not grow with the lines that a controller sends and no case reads", async () => {
  const name = freshName();
  const { tool: agent, address } = await startAgent("--stand-in", name);
  await using _agent = agent;
  const [host = "", port] = address.split(":");
  const [pid = 0] = await childrenOf(agent.pid);
  const memory = async () => {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]);
  };
  using channel = await connectControl({ host, port: Number(port) }, 60_000);
  await End.open("guest", channel, FACTS);
  // Its server waits for a client that never comes.
  const id = "seqpacket/rcvtimeo/ends-read-with-eagain";
  await channel.writeLine(encodeMessage({ ...startOrder(1), id, timeout: 60_000 }));
  const before = await memory();
  const line = encodeMessage({ type: "line", run: 1, text: "x".repeat(250_000) });
  try {
    for (let i = 0; i < 1000; i++) await channel.writeLine(line);
  } catch (error) {
    assert.match(String(error), /PeerGoneError/);
  }
  await agent.says(/more than 1 MB of lines that no case reads/);
  assert.deepEqual(await childrenOf(agent.pid), [pid]);
  assert.ok(await memory() - before < GROWTH, `${before} kB -> ${await memory()} kB`);
});

/** A case whose sides, once they are connected, need nothing of the controller for a second. */
const RESTING = (marker: string) => `
import { defineCase, man, timedSleep } from "@vsock/conformance/kit";
export const cases = [
  defineCase({
    id: "resting/after/connect",
    title: "both sides rest",
    requirement: "it MUST end",
    refs: [man("socket", 2)],
    does: { client: "connects, and rests", server: "accepts, and rests" },
    async client({ vsock }) {
      using _socket = await vsock.connect("stream");
      await Deno.writeTextFile(${JSON.stringify(marker)}, "");
      await timedSleep(1000);
    },
    async server({ vsock }) {
      using _socket = await vsock.accept("stream");
      await timedSleep(1000);
    },
  }),
];
`;

Deno.test("a run that stood still goes on", () =>
  withFolder(async (folder) => {
    const [file, marker] = [`${folder}/resting.ts`, `${folder}/connected`];
    await Deno.writeTextFile(file, RESTING(marker));
    const agent = await agentOn("127.0.0.1", ["--cases", file]);
    await using _tool = agent.tool;
    const where = ["--peer-cid", "1", "--agent", `127.0.0.1:${agent.port}`];
    const more = ["--stand-in", agent.name, "--ktap", "--case-timeout", "4", "--cases", file];
    await using run = new Tool(["run", ...where, ...more, "resting", CASE]);
    const isThere = () => Deno.stat(marker).then(() => true, () => false);
    await until(isThere, "the sides did not connect");
    run.interrupt("SIGSTOP");
    // Its sides have ended when it goes on, and the time for that is long over.
    await new Promise((resolve) => setTimeout(resolve, 8000));
    run.interrupt("SIGCONT");
    const { stdout } = await run.ended();
    assert.doesNotMatch(stdout, /# stopped: /);
    assert.match(stdout, /\n {2}ok \d+ resting\/after\/connect\n/);
    assert.match(stdout, /\n {2}ok \d+ stream\/close\/by-server-keeps-data\n/);
  }));
