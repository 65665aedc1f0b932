import assert from "node:assert/strict";
import { FEATURES, type Role } from "../core/case.ts";
import { NOTHING_LEFT } from "../core/parallel_leaks.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import { runTool } from "./support/tool.ts";

const RUN = ["run", "--peer-cid", "1", "--agent", "127.0.0.1:1", "--stand-in", "unused"];
const SIDE = ["--mode", "client", "--control-host", "127.0.0.1", "--peer-cid", "1"];

/** The options of `perf compare` that are for VMs; they have no time to measure. */
const FOR_VMS = [["--kernel", "x"], ["--modules", "x"], ["--qemu", "x"], ["--cold"], ["--refresh"]];
const COMPARE = ["perf", "compare", "--rounds", "1", "--timeout", "0.01"];

/** Bad input: the arguments, and what the tool must say of them. */
const BAD_INPUT: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [[...RUN, "stream/no-such"], /^error: Cannot select "stream\/no-such": no case matches/],
  [["explain", "nothing"], /Cannot select "nothing": no case matches/],
  [
    ["list", "streem"],
    /Cannot select "streem".*; did you mean stream\? \(the command "list" shows/,
  ],
  [["list", "stream/colse"], /Cannot select "stream\/colse".*; did you mean stream\/close\?/],
  [["explain", "conect"], /Cannot select "conect".*; did you mean connect\?/],
  [["explain", "seqpaket"], /Cannot select "seqpaket".*; did you mean seqpacket\?/],
  [["list", "stream", "!**"], /^error: Cannot select "!\*\*": no case is left of those chosen/],
  [["frobnicate"], /unknown command 'frobnicate'/],
  ...["", "report", "perf"].map((above): [string[], RegExp] => [
    [...above.split(" ").filter((word) => word !== ""), "help", "nope"],
    /^error: unknown command 'nope'\n/,
  ]),
  [[...RUN, "--frobnicate"], /unknown option '--frobnicate'/],
  [["run", "--agent", "127.0.0.1:1"], /required option '--peer-cid <cid>' not specified/],
  [["run", "--peer-cid", "1"], /required option '--agent <address>' not specified/],
  [["agent", "--peer-cid", "1"], /required option '--listen <address>' not specified/],
  [
    ["run", "--peer-cid", "4294967295", "--agent", "x:1"],
    /'4294967295' is invalid.*0 to 4294967294/,
  ],
  [["run", "--peer-cid", "host", "--agent", "x:1"], /'host' is invalid. Give a whole number/],
  [
    ["run", "--peer-cid", "1", "--agent", "nowhere"],
    /Cannot use the address "nowhere": write host/,
  ],
  [[...RUN, "--peer-port", "4294967294"], /--peer-port.*is invalid/],
  [[...RUN, "--case-timeout", "0"], /Give a time in seconds, from 0\.001 to 86400/],
  [[...RUN, "--case-timeout", "0.0004"], /Give a time in seconds, from 0\.001 to 86400/],
  [[...RUN, "--seed", "-1"], /--seed.*is invalid|Give a whole number/],
  [["probe"], /^error: Cannot open an AF_VSOCK socket: VSOCK_CONFORMANCE_FORBID_VSOCK is set\n$/],
  [["probe", "--peer-cid", "x"], /--peer-cid.*'x' is invalid/],
  [[...RUN, "--jobs", "17"], /--jobs.*is invalid\. Give a whole number from 1 to 16/],
  [[...RUN, "--repeat", "0"], /--repeat.*is invalid\. Give a whole number from 1 to 1000000/],
  [[...RUN, "--baseline", "/nowhere"], /^error: Cannot read the baseline \/nowhere: /],
  [[...RUN, "--direction", "sideways"], /Allowed choices are host-server, guest-server, both/],
  [
    [...RUN, "--report", "pdf=x"],
    /--report.*is invalid\. Write FORMAT=FILE, with a format of json,/,
  ],
  [[...RUN, "--report", "json"], /--report.*'json' is invalid\. Write FORMAT=FILE/],
  [["perf", "sender"], /required option '--sender <cid>' not specified/],
  [["perf", "receiver", "--buf-size", "1Q"], /Give a size such as 64K, 1M or 1G, from 1 to/],
  [["perf", "receiver", "--buf-size", "2G"], /--buf-size.*'2G' is invalid/],
  [["perf", "latency"], /required option '--peer-cid <cid>' not specified/],
  [
    ["perf", "latency", "--peer-cid", "1", "--size", "65K", "--connections", "2"],
    /--size may be at most 65536 with several --connections/,
  ],
  [
    ["perf", "sender", "--sender", "1", "--zerocopy", "--direction", "both", "--stand-in", "x"],
    /--zerocopy goes with --direction one/,
  ],
  [["lab", "--cross", "stream/close"], /^error: "lab --cross" is now "lab interop"\n/],
  [
    ["lab", "kernel", "build", "--debug"],
    /^error: "lab kernel build --debug" is now "lab build-kernel debug"\n/,
  ],
  [["lab", "build-kernel", "fast"], /Allowed choices are debug/],
  [["lab", "interop", "--seed", "1"], /unknown option '--seed'/],
  // No case matches: where the option is not refused, nothing is booted either.
  [
    ["lab", "interop", "--case-timeout", "1", "no/such"],
    /^error: --case-timeout is for the runner: add --jobs 2 or more\n/,
  ],
  [["lab", "interop", "--jobs", "2", "--case-timeout", "5", "--qemu", "x", "no/such"], /no case m/],
  ...FOR_VMS.map((args): [string[], RegExp] => [
    [...COMPARE, ...args],
    new RegExp(`^error: ${args[0]} is for VMs: add --topology loopback or guest-host\\n`),
  ]),
  [
    [...COMPARE, "--chart", "x.png"],
    /--chart.*'x\.png' is invalid\. Name a file .* \.svg or \.html/,
  ],
  [
    [...COMPARE, "--chart", "/nonexistent/x.html"],
    /^error: Cannot write the chart \/nonexistent\/x\.html: [^\n]*\n$/,
  ],
  [[...COMPARE, "--topology", "unix", "--cold"], /^error: --cold is for VMs: add --topology/],
  [
    ["lab", "--kernel", "debian:banana"],
    /^error: Cannot use the kernel "debian:banana": write deb/,
  ],
  [["lab", "--kernel", "banana"], /^error: There is no kernel at banana; give the path of a vmli/],
  ...[["lab"], ["lab", "up"], ["lab", "interop"], [...COMPARE, "--topology", "loopback"]].flatMap(
    (command): (readonly [string[], RegExp])[] => [
      [
        [...command, "--kernel", "deno.json"],
        /^error: Cannot boot deno\.json: it is not a kernel: /,
      ],
      [[...command, "--qemu", "/nope"], /^error: There is no QEMU at \/nope: No such file/],
    ],
  ),
  [
    ["lab", "--qemu", "deno.json"],
    /^error: Cannot run deno\.json: it is not a program; give a qemu/,
  ],
  [["lab", "--qemu", "/tmp"], /^error: Cannot run \/tmp: it is not a program/],
  [["lab", "--kernel", "debian:6.12", "--modules", "x"], /has its own modules: leave --modules/],
  [
    ["lab", "--kernel", "debug", "--refresh"],
    /not from an archive: lab build-kernel debug --refresh/,
  ],
  [["lab", "up", "--name", "../x"], /^error: Cannot name a lab "\.\.\/x": use lower-case letters/],
  [
    [...RUN, "--guest-monitor", "/nonexistent"],
    /^error: --guest-monitor: there is no Unix socket at \/nonexistent\n/,
  ],
  [["lab", "--name", "second", "no/such"], /unknown option '--name'/],
  ...[[...RUN], ["lab", "--topology", "loopback"], ["lab", "interop", "--topology", "loopback"]]
    .map(
      (command): [string[], RegExp] => [
        [...command, "--direction", "host-server", "stream/close"],
        /^error: --direction does nothing on loopback, where both sides are one machine: leave it o/,
      ],
    ),
  [
    ["lab", "--topology", "loopback", "down", "--name", "no-such"],
    /^error: --topology does nothing before "down": write it after that\n/,
  ],
  [["report", "diff", "-", "-"], /^error: Only one of the two can be standard input\n/],
  [["list", "--needs", "wings"], /Allowed choices are seqpacket/],
  [["completions", "tcsh"], /Allowed choices are bash, zsh, fish/],
  [["--mode", "client", "--control-port", "0"], /Give a whole number from 1 to 65535/],
  [["--mode", "third"], /Allowed choices are client, server/],
  [["--control-port", "1234"], /give --mode client or --mode server/],
  [["--mode", "server"], /give --control-port/],
  [["--mode", "server", "--control-port", "1234"], /give --peer-cid/],
  [["--mode", "client", "--control-port", "1", "--peer-cid", "1"], /give --control-host/],
  [[...SIDE, "--control-port", "1", "--pick", "41"], /Give a whole number from 0 to 40/],
  [
    ["--program", "vsock_diag_test", ...SIDE, "--control-port", "1", "--skip", "3"],
    /vsock_diag_test of upstream:7\.3 has no test 3; see --list/,
  ],
];

for (const [args, says] of BAD_INPUT) {
  Deno.test(`the tool refuses ${args.join(" ")} with 2 and says why`, async () => {
    const { code, stdout, stderr } = await runTool(args);
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, /\n\s+at /, "no stack for what is the user's to mend");
    assert.deepEqual([code, stdout], [2, ""]);
  });
}

Deno.test("the tool says what is missing without the permission to use the network", async () => {
  const agent = ["agent", "--peer-cid", "1", "--listen", "127.0.0.1:0", "--stand-in", "x"];
  for (const args of [agent, RUN]) {
    const { code, stderr } = await runTool(args, {
      permissions: ["--allow-env", "--allow-sys", "--allow-ffi"],
    });
    assert.equal(code, 2);
    assert.match(stderr, /Requires (net|write) access .*\n.*run it with 'deno run -A'/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
});

Deno.test("the tool shows help and its version with 0", async () => {
  for (const args of [["--help"], ["run", "--help"], ["agent", "--help"], ["--version"], []]) {
    const { code, stdout, stderr } = await runTool(args);
    assert.deepEqual([code, stderr], [0, ""], args.join(" "));
    assert.match(
      stdout,
      args[0] === "--version" ? /^\d+\.\d+\.\d+\n$/ : /^Usage: vsock-conformance/,
    );
    assert.doesNotMatch(stdout, /stand-in </, "what only tries the tool is not shown");
  }
});

Deno.test("what stands in for vsock_test shows examples and the ports that it uses", async () => {
  const { code, stdout } = await runTool(["--mode", "client", "--help"]);
  assert.equal(code, 0);
  assert.match(stdout, /\nExamples:\n {2}vsock-conformance --mode server /);
  assert.match(stdout, /AF_VSOCK port; the next 15 are used as well/);
});

Deno.test("perf says from when its time counts, where it waits and where it connects", async () => {
  for (
    const [command, counts] of [["receiver", "a connected peer"], ["sender", "the peer"]]
  ) {
    const { stdout } = await runTool(["perf", `${command}`, "--help"]);
    assert.ok(stdout.replace(/\s+/g, " ").includes(`how long ${counts} may be idle`), stdout);
  }
});

Deno.test("lab shows every kernel that it takes", async () => {
  const { stdout } = await runTool(["lab", "--help"]);
  const shown = stdout.replace(/\s+/g, " ");
  assert.match(
    shown,
    /debian:<version>, debug\[:<leak>\], multi-device, faults:<fault>, running, file, tree \[debian:latest\]/,
  );
});

Deno.test("list shows every case once, explain what one requires", async () => {
  const { code, stdout } = await runTool(["list"]);
  assert.equal(code, 0);
  const ids = stdout.trimEnd().split("\n").map((line) => line.split("  ")[0]);
  assert.deepEqual(ids, CATALOGUE.map(({ id }) => id));
  const explained = await runTool(["explain", "seqpacket/msg-trunc"]);
  assert.match(explained.stdout, /^seqpacket\/msg-trunc\/returns-real-length\n/);
  assert.match(explained.stdout, /requirement {2}recvmsg\(MSG_TRUNC\) MUST return/);
  assert.match(explained.stdout, /\n {2}client {7}connects, and sends a message of 32 bytes\n/);
  assert.match(explained.stdout, /upstream id {2}7 /);
});

Deno.test("list finds cases by text, in any case of letters", async () => {
  for (const text of ["MSG_TRUNC", "trunc"]) {
    const { code, stdout } = await runTool(["list", text]);
    assert.equal(code, 0);
    assert.match(stdout, /^seqpacket\/msg-trunc\/returns-real-length {2}/m);
    assert.doesNotMatch(stdout, /^stream\/close /m);
  }
});

Deno.test("explain says of every case what each side does, on lines of 100 characters", async () => {
  const { code, stdout } = await runTool(["explain", "**"]);
  assert.equal(code, 0);
  const lines = stdout.split("\n");
  const isUrl = (line: string) => /^ {15}https:\/\/\S+$/.test(line);
  assert.deepEqual(lines.filter((line) => line.length > 100 && !isUrl(line)), []);
  assert.equal(
    lines.filter(isUrl).length,
    [...CATALOGUE, NOTHING_LEFT].flatMap(({ refs }) => refs).length,
  );
  const fields = stdout.replaceAll(/\n {15}(?=\S)/g, " ").split("\n");
  const said = (role: Role) => {
    const begin = `  ${role}`.padEnd(15);
    return fields.filter((line) => line.startsWith(begin)).map((line) => line.slice(begin.length));
  };
  const cases = [...CATALOGUE, NOTHING_LEFT];
  for (const role of ["client", "server"] as const) {
    assert.deepEqual(said(role), cases.map(({ does }) => does[role] ?? "does nothing"), role);
  }
});

Deno.test("--list shows upstream's list", async () => {
  const { code, stdout } = await runTool(["--list"]);
  assert.equal(code, 0);
  assert.match(stdout, /^ID\tTest name\n0\tSOCK_STREAM connection reset\n/);
  assert.equal(stdout.trimEnd().split("\n").length, 42);
  const diag = await runTool(["--program", "vsock_diag_test", "--list"]);
  assert.equal(diag.stdout, "ID\tTest name\n0\tNo sockets\n1\tListen socket\n2\tConnect\n");
});

Deno.test("probe shows what there is, as text and as JSON, with a reason for all that is not", async () => {
  const args = ["probe", "--stand-in", "x"];
  const text = await runTool(args);
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /^here: Linux \S+ \S+\n/);
  assert.match(text.stdout, /\n {2}yes seqpacket +SOCK_SEQPACKET sockets/);
  assert.match(text.stdout, /\n {2}no {2}vsock-diag +it lists no unix sockets\n/);
  const { stdout } = await runTool([...args, "--json"]);
  const { features } = JSON.parse(stdout);
  assert.deepEqual(Object.keys(features), Object.keys(FEATURES));
  assert.equal(features.seqpacket, null);
});

Deno.test("lab interop refuses a choice that no C program has, before it boots anything", async () => {
  const { code, stderr } = await runTool(["lab", "interop", "namespaces/**"]);
  assert.equal(code, 2);
  assert.match(
    stderr,
    /^error: None of namespaces\/\*\* is a case of the C programs; see docs\/porting.md/,
  );
});
