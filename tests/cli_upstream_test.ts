import assert from "node:assert/strict";
import { ReservedPort } from "./support/reserved_port.ts";
import { runTool, Tool } from "./support/tool.ts";
import { freshName } from "./support/unix_pair.ts";

/** No case hangs, and a machine that stands still for a while reaches no deadline of one. */
const PATIENT = ["--case-timeout", "60"];

const upstream = (port: number) => [
  ...["--control-host", "127.0.0.1", "--control-port", `${port}`],
  ...["--peer-cid", "1", ...PATIENT],
];

Deno.test("the stand-in for vsock_test passes opposite itself, and skips what either side skips", async () => {
  const name = freshName();
  using reserved = new ReservedPort();
  const common = upstream(reserved.port);
  const cases = ["2", "3", "4", "5", "7", "15"].flatMap((id) => ["--pick", id]);
  const args = [...common, "--stand-in", name, ...cases];
  await using server = new Tool(["--mode", "server", ...args, "--skip", "3"]);
  await server.says(/Control socket listening/);
  const client = await runTool(["--mode", "client", ...args, "--skip", "15"]);
  for (const { code, stdout } of [client, await server.ended()]) {
    assert.equal(code, 0, stdout);
    assert.equal(stdout.match(/\.\.\.ok\n/g)?.length, 4);
    assert.match(stdout, /^3 - SOCK_STREAM server close\.\.\.skipped\n/m);
    assert.match(stdout, /^15 - SOCK_SEQPACKET MSG_PEEK\.\.\.skipped\n/m);
    assert.match(stdout, /^40 - .*skipped\n4 tests have been executed, .* sides; 37 skipped\.\n/m);
  }
});

Deno.test("the stand-in for vsock_test says where neither side ran anything", async () => {
  using reserved = new ReservedPort();
  const args = [...upstream(reserved.port), "--stand-in", freshName(), "--pick"];
  await using server = new Tool(["--mode", "server", ...args, "2"]);
  await server.says(/Control socket listening/);
  const client = await runTool(["--mode", "client", ...args, "3"]);
  for (const { code, stdout } of [client, await server.ended()]) {
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^No test has been executed: all 41 were skipped\.\n/m);
  }
});

Deno.test("the stand-in for vsock_test tells whoever has another program's list which it is", async () => {
  using reserved = new ReservedPort();
  const args = [...upstream(reserved.port), "--stand-in", freshName()];
  const skips = ["0", "1", "2"].flatMap((id) => ["--skip", id]);
  await using server = new Tool(["--mode", "server", ...args, ...skips, "--pick", "40"]);
  await server.says(/Control socket listening/);
  const client = await runTool([
    ...["--program", "vsock_diag_test", "--mode", "client", ...args, ...skips],
  ]);
  assert.match(
    client.stderr,
    /goes on after .*: use --protocol upstream:7\.3 --program vsock_test\n/,
  );
  const { stderr } = await server.ended();
  assert.match(
    stderr,
    /ended after 3 cases, .*: use --protocol .*7\.3 --program vsock_diag_test\n/,
  );
});

Deno.test("the stand-in for vsock_test ends with 1 where a case fails, and its peer with an error", async () => {
  const name = freshName();
  using reserved = new ReservedPort();
  const args = [...upstream(reserved.port), "--stand-in", name, "--pick", "0", "--pick", "2"];
  await using server = new Tool(["--mode", "server", ...args]);
  await server.says(/Control socket listening/);
  const client = await runTool(["--mode", "client", ...args]);
  assert.equal(client.code, 1);
  assert.match(
    client.stdout,
    /0 - SOCK_STREAM connection reset\.\.\.fail\n {2}connect\(\) without/,
  );
  const { code, stderr } = await server.ended();
  assert.equal(code, 2);
  assert.match(stderr, /^error: before 1 - SOCK_STREAM bind only: the peer closed/m);
});
