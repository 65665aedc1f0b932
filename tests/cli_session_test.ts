/**
 * What becomes of a run's reports where it never begins, and what they say of what it was made on.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { EndFacts } from "../core/event.ts";
import { encodeHello } from "../control/greeting.ts";
import { REPORT_FORMATS, type ReportFormat } from "../report/formats.ts";
import type { RunReport } from "../report/model.ts";
import { parseReport } from "../report/schema.ts";
import { type Ended, runTool, startAgent, Tool } from "./support/tool.ts";
import { freshName } from "./support/unix_pair.ts";

const FORMATS = Object.keys(REPORT_FORMATS) as ReportFormat[];
const YESTERDAY = "all was well";
/** A case that AF_UNIX passes, and one that it fails. */
const PASSES = "stream/msg-peek/leaves-data";
const FAILS = "stream/connect/refused-without-socket";

/** Reports of an earlier run, in a folder that is removed when disposed of. */
async function yesterday() {
  const path = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  const file = (format: string) => `${path}/run.${format}`;
  for (const format of FORMATS) await Deno.writeTextFile(file(format), YESTERDAY);
  return {
    path,
    options: FORMATS.flatMap((format) => ["--report", `${format}=${file(format)}`]),
    /** The report, where each form of it is of today. */
    async report(): Promise<RunReport> {
      for (const format of FORMATS) {
        const text = await Deno.readTextFile(file(format));
        assert.ok(text.length > 0 && !text.includes(YESTERDAY), format);
      }
      return parseReport(await Deno.readTextFile(file("json")), "x");
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(path, { recursive: true });
    },
  };
}

/** An agent that is none: it answers whoever comes with one line, if with any. */
function answering(line: string | undefined) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.TcpConn[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      if (line !== undefined) await connection.write(new TextEncoder().encode(`${line}\n`));
    }
  })();
  return {
    address: `127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
      for (const connection of connections) connection.close();
    },
  };
}

const RUN = ["run", "--peer-cid", "1", "--stand-in", "unused"];

/** What a command must end with that cannot begin its run, and what its reports must say then. */
async function notStarted(args: readonly string[], code: number, reason: RegExp): Promise<Ended> {
  await using reports = await yesterday();
  const ended = await runTool([...args, ...reports.options]);
  const report = await reports.report();
  assert.match(report.notStarted?.reason ?? "", reason, args.join(" "));
  assert.equal(ended.code, code, ended.stderr);
  assert.match(ended.stderr, /^error: |\nerror: /);
  return ended;
}

Deno.test("a run whose agent is not there is reported as one that did not start", async () => {
  const args = [...RUN, "--agent", "127.0.0.1:1", "--connect-timeout", "0.3", PASSES];
  await notStarted(args, 2, /^Cannot reach the peer at 127\.0\.0\.1:1: /);
});

Deno.test("a run whose agent refuses is reported so, and as KTAP where that was asked for", async () => {
  await using agent = answering("REFUSED not today");
  const args = [...RUN, "--agent", agent.address, "--connect-timeout", "0.1", "--ktap", PASSES];
  const { stdout } = await notStarted(args, 2, /the peer refused: not today/);
  assert.match(stdout, /^KTAP version 1\n1\.\.1\nBail out! the peer refused: not today\n$/);
});

Deno.test("a run that Ctrl-C ends before it begins is reported so", async () => {
  await using agent = answering(undefined);
  await using reports = await yesterday();
  await using tool = new Tool([...RUN, "--agent", agent.address, ...reports.options, PASSES]);
  const first = `${reports.path}/run.json`;
  while ((await Deno.readTextFile(first)).includes(YESTERDAY)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  tool.interrupt();
  assert.equal((await tool.ended()).code, 130);
  const { notStarted, cases } = await reports.report();
  assert.deepEqual(notStarted, { reason: "interrupted" });
  assert.deepEqual(cases.map(({ id }) => id), [PASSES]);
});

Deno.test("whatever keeps a run from beginning, yesterday's report is not taken for its own", async () => {
  const run = [...RUN, "--agent", "127.0.0.1:1"];
  await notStarted([...run, "stream/clos"], 2, /^Cannot select "stream\/clos"/);
  await notStarted([...run, "--baseline", "/nowhere"], 2, /^Cannot read the baseline/);
  await notStarted([...run, "--rerun-failed", "/nowhere"], 2, /^Cannot read \/nowhere/);
  await notStarted([...run, "--direction", "host-server"], 2, /^--direction does nothing/);
  await notStarted(["lab", "--kernel", "deno.json"], 2, /^Cannot boot deno\.json/);
  await notStarted(["lab", "--qemu", "/nope"], 2, /^There is no QEMU at \/nope/);
  await notStarted(["lab", "run", "--name", "no-such"], 69, /^No lab "no-such" is up/);
});

/** A run opposite a guest's agent that says this of itself, and then nothing. */
function opposite(facts: Partial<EndFacts>, ...args: string[]) {
  const end = { name: "agent", kernel: "6.12", machine: "m", version: "0", ...facts };
  const agent = answering(encodeHello(end));
  const run = ["run", "--peer-cid", "3", "--stand-in", freshName(), "--agent", agent.address];
  return { agent, args: [...run, ...args, PASSES] };
}

Deno.test("a kernel that was tainted before is said so at the head, with what that means", async () => {
  const facts = { taint: 2 ** 7 + 2 ** 12, faultsBefore: [["WARNING: x", "Call Trace:"]] };
  const { agent, args } = opposite(facts);
  await using _agent = agent;
  await using tool = new Tool([...args, "--ktap"]);
  await tool.says(
    /tainted before the run: D \(the kernel has had an Oops or a BUG\), O \(a module/,
  );
  await tool.says(/before the first case its kernel had reported: WARNING: x\n\| Call Trace:\n/);
});

Deno.test("--strict refuses a kernel that has gone wrong, and no other that is tainted", async () => {
  for (
    const [facts, why] of [
      [{ taint: 2 ** 9 }, "the guest's kernel is tainted: W"],
      [{ faultsBefore: [["BUG: x"]] }, "the guest's kernel had reported: BUG: x"],
    ] as const
  ) {
    const { agent, args } = opposite(facts, "--strict");
    await using _agent = agent;
    await notStarted(args, 2, new RegExp(`^--strict: ${why}: boot it again, or leave`));
  }
  const { agent, args } = opposite({ taint: 2 ** 12 + 2 ** 13 }, "--strict");
  await using _agent = agent;
  await using tool = new Tool([...args, "--ktap"]);
  await tool.says(/tainted before the run: O .*\n2 cases, seed/);
});

/** An agent over the stand-in, and what runs cases with it. */
async function standIn() {
  const name = freshName();
  const { tool, address } = await startAgent("--stand-in", name);
  const folder = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  const json = `${folder}/run.json`;
  return {
    folder,
    json,
    run: (...args: string[]) =>
      runTool([
        ...["run", "--peer-cid", "1", "--agent", address, "--stand-in", name],
        ...["--case-timeout", "60", ...args],
      ]),
    report: async () => parseReport(await Deno.readTextFile(json), json),
    async [Symbol.asyncDispose]() {
      await Deno.remove(folder, { recursive: true });
      await tool[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a report says what made it, and its command brings the same verdict about", async () => {
  await using tool = await standIn();
  const { json } = tool;
  await tool.run("--seed", "5", "-q", "--repeat=2", "--report", `json=${json}`, FAILS, PASSES);
  const { ends: [end], again = [], commit, cases } = await tool.report();
  assert.ok(end?.uname?.startsWith(`Linux ${Deno.osRelease()} #`), end?.uname);
  assert.equal(end?.commandLine, (await Deno.readTextFile("/proc/cmdline")).trim());
  assert.equal(end?.taint, undefined, "over the stand-in no kernel is tried");
  assert.match(commit ?? "", /^[0-9a-f]{40}(-dirty)?$/);
  assert.deepEqual(again.slice(0, 3), ["run", "--peer-cid", "1"]);
  assert.deepEqual(again.slice(-2), ["--case-timeout", "60"]);
  const failed = cases.find(({ id }) => id === FAILS) ?? assert.fail();
  const { code, stdout } = await runTool([...again, "--seed", `${failed.seed}`, failed.id]);
  assert.equal(code, 1);
  assert.match(stdout, /FAIL .* stream\/connect\/refused-without-socket\n/);
});

Deno.test("the end of a run says again what failed and why, and what was skipped for what", async () => {
  await using tool = await standIn();
  const { stdout } = await tool.run("--seed", "5", FAILS, PASSES, "diag", "ioctl/siocinq");
  const [, end = ""] = stdout.split("\nfailed (1)\n");
  assert.match(
    end,
    /^ {2}FAIL {2}stream\/connect\/refused-without-socket\n {8}client: connect\(.*\n/,
  );
  assert.match(end, /\n {2}again: vsock-conformance run .* --seed 5 stream\/connect\/refused-w/);
  assert.match(end, /\n\nskipped \((\d+)\)\n +\1 {2}\S.*\n/);
  assert.match(end, /\n\n1 passed, 1 failed, \d+ skipped in .*\n$|\n\n\d+ passed, 1 failed, .*\n$/);
});

Deno.test("-q shows what did not do well, and the end", async () => {
  await using tool = await standIn();
  const { code, stdout } = await tool.run("-q", PASSES, FAILS);
  assert.equal(code, 1);
  assert.doesNotMatch(stdout, /pass .*leaves-data|Linux|cases, seed/);
  assert.match(stdout, /FAIL .*refused-without-socket\n[^]*\n1 passed, 1 failed in /);
  const good = await tool.run("--quiet", PASSES);
  assert.match(good.stdout, /^\n1 passed, 0 failed in [^\n]*\n$/);
});

Deno.test("--fail-fast stops at the first failure, once", async () => {
  await using tool = await standIn();
  const { code, stdout } = await tool.run("--fail-fast", FAILS, PASSES, "stream/close");
  assert.equal(code, 1);
  assert.match(stdout, /stopped: --fail-fast: stream\/connect\/refused-w.* is fail \(3 cases did/);
  const good = await tool.run("--fail-fast", PASSES);
  assert.deepEqual([good.code, /round|flaky/.test(good.stdout)], [0, false]);
});

Deno.test("--exclude and ! leave cases out", async () => {
  await using tool = await standIn();
  for (const args of [["--exclude", "*/connect", "--exclude", "stream/c*"], ["!*/c*"]]) {
    const { stdout } = await tool.run(...args, "stream/connect", PASSES, "stream/close");
    assert.match(stdout, /\n1 cases, seed [^]* stream\/msg-peek\/leaves-data\n/);
  }
  const none = await tool.run("--exclude", "**");
  assert.match(none.stderr, /^error: Cannot select "!\*\*": no case is left/);
  assert.equal(none.code, 2);
});

Deno.test("--quick leaves slow cases out", async () => {
  await using tool = await standIn();
  const slow = "connect/timeout/default-is-two-seconds";
  const { stdout } = await tool.run("--quick", PASSES, slow);
  assert.match(stdout, /\n1 cases, seed [^]* stream\/msg-peek\/leaves-data\n/);
  const none = await tool.run("--quick", slow);
  assert.match(
    none.stderr,
    /^error: Nothing is left to run: all chosen cases are slow; leave out/,
  );
  assert.equal(none.code, 2);
});

Deno.test("--rerun-failed runs what failed, with the seed of that run, and no more", async () => {
  await using tool = await standIn();
  const { json } = tool;
  await tool.run("--seed", "77", "--report", `json=${json}`, FAILS, PASSES);
  const again = await tool.run("--rerun-failed", json);
  assert.equal(again.code, 1);
  assert.match(again.stdout, /\n1 cases, seed 77\n[^]* stream\/connect\/refused-without-socket\n/);
  const seeded = await tool.run("--rerun-failed", json, "--seed", "8");
  assert.match(seeded.stdout, /\n1 cases, seed 8\n/);
  const none = await tool.run("--rerun-failed", json, PASSES);
  assert.equal(none.code, 2);
  assert.match(
    none.stderr,
    /^error: Nothing is left to run: none of what failed in \S+ was chosen/,
  );
  await tool.run("--report", `json=${json}`, PASSES);
  const good = await tool.run("--rerun-failed", json);
  assert.equal(good.code, 2);
  assert.match(good.stderr, /^error: Nothing failed in \S+run\.json, so there is nothing to run\n/);
  const stopped = await tool.run("--report", `json=${json}`, "--fail-fast", FAILS, PASSES);
  assert.equal(stopped.code, 1);
  assert.match((await tool.run("--rerun-failed", json)).stdout, /\n2 cases, seed/);
});
