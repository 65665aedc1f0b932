import assert from "node:assert/strict";
import { connectControl } from "../control/channel.ts";
import { End } from "../runner/end.ts";
import { encodeHello } from "../control/greeting.ts";
import { HoldingAgent } from "./support/holding_agent.ts";
import { FACTS } from "./support/hostile.ts";
import { ReservedPort } from "./support/reserved_port.ts";
import { childrenOf, isAlive, isAtStep, runTool, startAgent, Tool, until } from "./support/tool.ts";
import { freshName } from "./support/unix_pair.ts";

/** Cases that AF_UNIX passes as it is. */
const PASSING = [
  "stream/close",
  "stream/msg-peek/leaves-data",
  "stream/connect/hundred-at-once",
  "seqpacket/msg-*/*",
];
/** No case hangs, and a machine that stands still for a while reaches no deadline of one. */
const PATIENT = ["--case-timeout", "60"];
/** Cases that AF_UNIX fails: it refuses instead of resetting. */
const FAILING = "stream/connect/refused-*";

const run = (address: string, name: string, ...args: string[]) => [
  "run",
  ...["--peer-cid", "1", "--agent", address, "--stand-in", name, ...PATIENT],
  ...args,
];

Deno.test("run and agent pass over the stand-in, and agree in KTAP", async () => {
  const name = freshName();
  const { tool: agent, address } = await startAgent("--stand-in", name);
  await using _agent = agent;
  const text = await runTool(run(address, name, "--seed", "7", ...PASSING));
  assert.match(text.stdout, /\n6 passed, 0 failed in /);
  assert.match(text.stdout, /6 cases, seed 7\n/);
  assert.equal(text.code, 0, text.stderr);
  const ktap = await runTool(run(address, name, "--ktap", ...PASSING));
  assert.equal(ktap.code, 0);
  assert.match(ktap.stdout, /^KTAP version 1\n1\.\.1\n/);
  assert.match(ktap.stdout, /\n {2}ok 6 seqpacket\/msg-peek\/leaves-message\nok 1 loopback\n$/);
  assert.match(ktap.stderr, /6 passed, 0 failed/, "progress goes to standard error");
});

Deno.test("run ends with 1 where a case fails, and says why", async () => {
  const name = freshName();
  const { tool: agent, address } = await startAgent("--stand-in", name, "--once");
  await using _agent = agent;
  const { code, stdout } = await runTool(run(address, name, FAILING));
  assert.equal(code, 1);
  assert.match(stdout, /FAIL .* stream\/connect\/refused-without-socket\n/);
  assert.match(stdout, /client: connect\(\) without a listener: expected ECONNRESET, got connect/);
  assert.match(stdout, /0 passed, 2 failed/);
  assert.equal((await agent.ended()).code, 0, "--once ends after one controller");
});

Deno.test("run ends with 2 where nobody is at the agent's address", async () => {
  using reserved = new ReservedPort();
  const address = `127.0.0.1:${reserved.port}`;
  const { code, stderr } = await runTool(run(address, "x", "--connect-timeout", "0.3"));
  assert.equal(code, 2);
  assert.match(stderr, /^error: Cannot reach the peer at 127\.0\.0\.1:\d+: .*is it running/);
  assert.doesNotMatch(stderr, /\n\s+at /);
});

Deno.test("agent says where the guest's monitor is not there, and serves", async () => {
  const monitor = ["--guest-monitor", "/nonexistent"];
  const { tool: agent } = await startAgent("--stand-in", freshName(), ...monitor);
  await using _agent = agent;
  await agent.says(
    /^agent: --guest-monitor: there is no Unix socket at \/nonexistent; until/m,
  );
});

Deno.test("agent and --mode server exit with 2 if the port is in use", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = `${taken.addr.port}`;
  const stand = ["--peer-cid", "1", "--stand-in", "x"];
  const agent = await runTool(["agent", "--listen", `127.0.0.1:${port}`, ...stand]);
  const server = ["--mode", "server", "--control-host", "127.0.0.1", "--control-port", port];
  for (const { code, stderr } of [agent, await runTool([...server, ...stand])]) {
    assert.equal(code, 2);
    assert.match(stderr, /^error: Cannot listen on 127\.0\.0\.1:\d+: the port is in use; choose/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
});

/** A peer that writes this to whoever connects, and then keeps the connection open or not. */
function scriptedPeer(says: string, stays: boolean) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.TcpConn[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      await connection.write(new TextEncoder().encode(says)).catch(() => {});
      if (!stays) connection.closeWrite().catch(() => {});
    }
  })();
  return {
    address: `127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting.catch(() => {});
      connections.forEach((connection) => connection.close());
    },
  };
}

const BAD_PEERS: readonly (readonly [string, string, RegExp])[] = [
  [
    "speaks HTTP",
    "HTTP/1.1 400 Bad Request\r\n\r\n",
    /does not speak vsock-conformance\/2: it wrote "HTTP/,
  ],
  ["speaks the C protocol", "NEXT\n", /the protocol of the kernel's vsock_test/],
  [
    "is another version",
    "HELLO vsock-conformance/1 {}\n",
    /conformance\/1 and .* the same version/,
  ],
  ["writes no text", "\u00ff\n", /it wrote "ÿ"/],
  ["closes at once", "", /the peer closed the control connection/],
];

for (const [what, says, message] of BAD_PEERS) {
  Deno.test(`run ends with 2 opposite a peer that ${what}`, async () => {
    await using peer = scriptedPeer(says, says !== "");
    const { code, stderr } = await runTool(run(peer.address, "x"));
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n\s+at /);
    assert.equal(code, 2);
  });
}

Deno.test("--mode client ends with 2 opposite an agent, and says that it is one", async () => {
  await using peer = scriptedPeer('HELLO vsock-conformance/1 {"name":"x"}\n', true);
  const port = peer.address.split(":")[1] ?? "";
  const where = ["--control-host", "127.0.0.1", "--control-port", port];
  const args = ["--mode", "client", ...where, "--peer-cid", "1", "--stand-in", "x"];
  const { code, stderr } = await runTool(args);
  assert.match(stderr, /before 0 - SOCK_STREAM connection reset: .*started with a command/);
  assert.equal(code, 2);
});

Deno.test("an agent serves one controller at a time, and a second that waits for it", async () => {
  const name = freshName();
  const { tool: agent, address } = await startAgent("--stand-in", name);
  await using _agent = agent;
  // This one has no work for it; whoever comes meanwhile is told that the agent is busy.
  const [hostname = "", port] = address.split(":");
  const idle = await Deno.connect({ hostname, port: Number(port) });
  await idle.write(new TextEncoder().encode(`${encodeHello(FACTS)}\n`));
  await agent.says(/connected/);
  const refused = await runTool(run(address, name, "--connect-timeout", "0.5", ...PASSING));
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /the peer refused: another controller is using this agent/);
  // Who has time waits for it.
  const args = run(address, name, "--connect-timeout", "600", ...PASSING);
  await using patient = new Tool(args);
  await patient.says(/^the agent serves another controller: waiting for up to 600 s\n/);
  idle.close();
  await agent.says(/: the peer closed|left/);
  const { code, stderr } = await patient.ended();
  assert.equal(code, 0, stderr);
});

Deno.test("an agent serves a controller that comes right behind another, however late it sees both", async () => {
  const { tool: agent, address } = await startAgent("--stand-in", freshName());
  await using _agent = agent;
  const [host = "", port] = address.split(":");
  const [pid = 0] = await childrenOf(agent.pid);
  const connect = () => connectControl({ host, port: Number(port) }, 60_000);
  let before = await connect();
  await End.open("loopback", before, FACTS);
  for (let i = 0; i < 5; i++) {
    Deno.kill(pid, "SIGSTOP");
    before.close();
    const next = await connect();
    Deno.kill(pid, "SIGCONT");
    await End.open("loopback", next, FACTS);
    before = next;
  }
  before.close();
});

Deno.test("an agent outlives controllers that talk nonsense, and says what they wrote", async () => {
  const name = freshName();
  const { tool: agent, address } = await startAgent("--stand-in", name);
  await using _agent = agent;
  const [hostname = "", port] = address.split(":");
  for (const nonsense of ["GET / HTTP/1.1\r\n\r\n", "NEXT\n", "\u0000\u0001\n"]) {
    using controller = await Deno.connect({ hostname, port: Number(port) });
    await controller.write(new TextEncoder().encode(nonsense));
    // It closes the connection.
    assert.equal(await controller.read(new Uint8Array(1)).catch(() => null), null);
  }
  await agent.says(/it wrote "GET \/ HTTP\/1\.1/);
  await agent.says(/protocol of the kernel's vsock_test/);
  assert.equal((await runTool(run(address, name, ...PASSING))).code, 0);
});

Deno.test("SIGINT and SIGTERM end whatever waits, with 130 and 143, and leave no process", async () => {
  await using silent = scriptedPeer("", true);
  using forServer = new ReservedPort();
  using forNobody = new ReservedPort();
  const port = `${forServer.port}`;
  const stand = ["--peer-cid", "1", "--stand-in", freshName()];
  const server = ["--mode", "server", "--control-host", "127.0.0.1", "--control-port", port];
  // Each is started when it is its turn: none may have waited for as long as it would.
  const waiting: [args: string[], ready?: RegExp][] = [
    [["agent", "--listen", "127.0.0.1:0", ...stand], /listening on /],
    [[...server, ...stand], /Control socket listening/],
    [run(`127.0.0.1:${forNobody.port}`, "x", "--connect-timeout", "600")],
    [run(silent.address, "x")],
  ];
  for (const [index, [args, ready]] of waiting.entries()) {
    await using tool = new Tool(args);
    if (ready !== undefined) await tool.says(ready);
    // It starts an agent of its own once it listens to both signals.
    else await until(async () => (await childrenOf(tool.pid)).length > 0, "it started no agent");
    const [signal, expected] = index % 2 === 0
      ? ["SIGINT", 130] as const
      : ["SIGTERM", 143] as const;
    tool.interrupt(signal);
    const { code, stderr } = await tool.ended();
    assert.equal(code, expected, stderr);
    assert.doesNotMatch(stderr, /\n\s+at /);
    assert.equal(await isAlive(tool.pid), false);
  }
});

Deno.test("an agent outlives its terminal where nohup started it", async () => {
  const name = freshName();
  const args = ["agent", "--listen", "127.0.0.1:0", "--peer-cid", "1", "--stand-in", name];
  await using agent = new Tool(args, { through: "nohup" });
  const [, address = ""] = await agent.says(/listening on (\S+)/);
  agent.interrupt("SIGHUP");
  const { code, stderr } = await runTool(run(address, name, "stream/close"));
  assert.equal(code, 0, stderr);
  agent.interrupt();
  assert.equal((await agent.ended()).code, 130);
});

Deno.test("Ctrl-C ends a run within a blocked case, with what it knows so far", async () => {
  const name = freshName();
  const blocks = "seqpacket/rcvtimeo/ends-read-with-eagain";
  // Its side of the case does nothing: the server is blocked in accept() until the case's deadline.
  await using client = new HoldingAgent(name, blocks);
  const args = run(client.address, name, "--ktap", "--case-timeout", "600", "stream/close", blocks);
  await using tool = new Tool(args);
  await tool.says(/stream\/close\/by-server-keeps-data\n/);
  const [agent = 0] = await childrenOf(tool.pid);
  await isAtStep(agent, /accept4\(/);
  tool.interrupt();
  const { code, stdout } = await tool.ended();
  assert.equal(code, 130);
  assert.match(stdout, /\n {2}ok 2 stream\/close\/by-server-keeps-data\n/);
  assert.match(stdout, /# stopped: interrupted \(1 cases did not run\)\nnot ok 1 loopback\n$/);
});
