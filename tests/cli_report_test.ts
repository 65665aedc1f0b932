import assert from "node:assert/strict";
import { encodeHello } from "../control/greeting.ts";
import { REPORT_FORMATS, type ReportFormat } from "../report/formats.ts";
import { renderReport } from "../report/render.ts";
import { parseReport } from "../report/schema.ts";
import type { RunReport } from "../report/model.ts";
import { CATALOGUE, findCase } from "../suites/catalogue.ts";
import { exampleReport } from "./support/example_run.ts";
import { runTool, startAgent, Tool } from "./support/tool.ts";
import { freshName } from "./support/unix_pair.ts";

const FORMATS = Object.keys(REPORT_FORMATS) as ReportFormat[];

/** A folder that is removed when disposed of. */
async function folder() {
  const path = await Deno.makeTempDir({ prefix: "vsock-conformance-test-" });
  return {
    path,
    async [Symbol.asyncDispose]() {
      await Deno.remove(path, { recursive: true });
    },
  };
}

/** A file with a report as JSON. */
async function stored(path: string, report: RunReport): Promise<string> {
  await Deno.writeTextFile(path, renderReport("json", report));
  return path;
}

Deno.test("--report writes every format, each the same that report makes of the JSON", async () => {
  await using temporary = await folder();
  const name = freshName();
  const { tool: agent, address } = await startAgent("--stand-in", name);
  await using _agent = agent;
  const file = (format: string) => `${temporary.path}/run.${format}`;
  const args = [
    ...["run", "--peer-cid", "1", "--agent", address, "--stand-in", name, "--ktap"],
    ...FORMATS.flatMap((format) => ["--report", `${format}=${file(format)}`]),
    ...["stream/msg-peek/leaves-data", "stream/connect/refused-without-socket"],
  ];
  const { code, stdout } = await runTool(args);
  assert.equal(code, 1);
  const report = parseReport(await Deno.readTextFile(file("json")), "x");
  assert.deepEqual(report.argv, args);
  assert.deepEqual(report.cases.map(({ verdict }) => verdict?.outcome), ["fail", "pass"]);
  assert.equal(report.cases[0]?.verdict?.sides?.client.state, "fail");
  assert.equal(stdout, await Deno.readTextFile(file("ktap")), "as written while cases ran");
  for (const format of FORMATS) {
    const rendered = await runTool(["report", format, file("json")]);
    assert.equal(rendered.code, 0);
    assert.equal(rendered.stdout, await Deno.readTextFile(file(format)), format);
  }
});

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
  Deno.test(`--report is written when the run is ended by ${signal}, and says in which case`, async () => {
    await using temporary = await folder();
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const facts = { name: "agent", kernel: "1", machine: "m", version: "0" };
    // It introduces itself, and then never reports how a case ended.
    const accepting = listener.accept().then(async (connection) => {
      const hello = `${encodeHello(facts)}\n`;
      await connection.write(new TextEncoder().encode(hello));
      return connection;
    });
    const [json, junit] = [`${temporary.path}/a.json`, `${temporary.path}/a.xml`];
    await using tool = new Tool([
      ...["run", "--peer-cid", "1", "--agent", `127.0.0.1:${listener.addr.port}`, "--ktap"],
      ...["--stand-in", freshName(), "--report", `json=${json}`, "--report", `junit=${junit}`],
      "stream/**",
    ]);
    using _connection = await accepting;
    await tool.says(/cases, seed/);
    tool.interrupt(signal);
    assert.equal((await tool.ended()).code, code);
    const report = parseReport(await Deno.readTextFile(json), json);
    assert.deepEqual(report.stopped, { reason: "interrupted", during: 1 });
    assert.ok(report.cases.length > 1);
    assert.match(await Deno.readTextFile(junit), /<error message="did not end: .*: interrupted"/);
  });
}

Deno.test("--report tells before the run that a file cannot be written", async () => {
  const { tool: agent, address } = await startAgent("--stand-in", "unused");
  await using _agent = agent;
  const run = ["run", "--peer-cid", "1", "--agent", address, "--stand-in", "unused"];
  const nowhere = await runTool([...run, "--report", "json=/nonexistent/a.json"]);
  assert.match(nowhere.stderr, /^error: Cannot write the report \/nonexistent\/a.json: /);
  assert.deepEqual([nowhere.code, nowhere.stdout], [2, ""]);
  const twice = ["--report", "json=/dev/null", "--report", "ktap=/dev/null"];
  assert.match((await runTool([...run, ...twice])).stderr, /\/dev\/null: it is named twice/);
});

Deno.test("a run in which all was skipped ends with 4, and KTAP skips it", async () => {
  const name = freshName();
  const { tool: agent, address } = await startAgent("--stand-in", name);
  await using _agent = agent;
  const args = ["run", "--peer-cid", "1", "--agent", address, "--stand-in", name, "--ktap"];
  const { code, stdout } = await runTool([...args, "namespaces/mode"]);
  assert.equal(code, 4);
  assert.match(stdout, /\nok 1 loopback # SKIP all of its cases were skipped\n$/);
  // One that was judged makes it a run, and a skip is no failure.
  const until = await runTool([...args, "--until-failure", "--repeat", "2", "namespaces/mode"]);
  assert.equal(until.code, 4);
  assert.doesNotMatch(until.stderr, /until-failure/);
  assert.equal((await runTool([...args, "namespaces/mode", "stream/close"])).code, 0);
});

Deno.test("--ktap=flat writes while cases run what the form ktap-flat of the report has", async () => {
  await using temporary = await folder();
  const name = freshName();
  const { tool: agent, address } = await startAgent("--stand-in", name);
  await using _agent = agent;
  const file = `${temporary.path}/run.tap`;
  const run = ["run", "--peer-cid", "1", "--agent", address, "--stand-in", name];
  const args = [...run, "--ktap=flat", "--report", `ktap-flat=${file}`];
  for (const more of [[], ["--repeat", "2"]]) {
    const { code, stdout, stderr } = await runTool([...args, ...more, "stream/close"]);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^TAP version 13\n1\.\.2\n# loopback: [^]*\nok 1 loopback\/stream\/close\//,
    );
    assert.equal(stdout, await Deno.readTextFile(file));
    assert.match(stderr, /\d passed, 0 failed/);
  }
  // What follows is no value of the option's.
  assert.match((await runTool([...run, "--ktap", "stream/close"])).stdout, /^KTAP version 1\n/);
  const wrong = await runTool([...run, "--ktap=round", "stream/close"]);
  assert.match(wrong.stderr, /unknown option '--ktap=round'/);
  assert.equal(wrong.code, 2);
});

Deno.test("report -o writes to a file", async () => {
  await using temporary = await folder();
  const json = await stored(`${temporary.path}/a.json`, exampleReport());
  const to = `${temporary.path}/a.xml`;
  const { code, stdout } = await runTool(["report", "junit", json, "-o", to]);
  assert.deepEqual([code, stdout], [0, ""]);
  assert.equal(await Deno.readTextFile(to), renderReport("junit", exampleReport()));
});

Deno.test("report diff ends with 1 for a regression, with 0 without one", async () => {
  await using temporary = await folder();
  const whole = await stored(`${temporary.path}/whole.json`, exampleReport());
  const half = await stored(`${temporary.path}/half.json`, exampleReport(10));
  const worse = await runTool(["report", "diff", whole, half]);
  assert.match(worse.stdout, /held before, not checked now \(2\)\n {2}stream\/close\/keeps-data/);
  assert.deepEqual([worse.code, worse.stderr], [1, ""]);
  assert.equal((await runTool(["report", "diff", half, whole])).code, 0);
  const few = await stored(`${temporary.path}/few.json`, {
    ...exampleReport(),
    cases: exampleReport().cases.slice(0, 2),
  });
  const gone = await runTool(["report", "diff", whole, few]);
  assert.match(gone.stdout, /cases that are gone \(10\)/);
  assert.equal(gone.code, 1);
  assert.equal((await runTool(["report", "diff", "--subset", whole, few])).code, 0);
  const same = await runTool(["report", "diff", whole, whole]);
  assert.equal(same.code, 0);
  assert.match(same.stdout, /nothing changed/);
});

Deno.test("report ends with 2 for what is no report, and says why", async () => {
  await using temporary = await folder();
  const { path } = temporary;
  const good = await stored(`${path}/good.json`, exampleReport());
  const other = await stored(`${path}/other.json`, {
    ...exampleReport(),
    cases: exampleReport().cases.slice(0, 1).map((entry) => ({ ...entry, id: "a/b/c" })),
  });
  await Deno.writeTextFile(`${path}/empty.json`, "");
  await Deno.writeTextFile(`${path}/next.json`, '{"format":"vsock-conformance-run","version":9}');
  const bad: readonly (readonly [string[], RegExp])[] = [
    [["html", `${path}/none.json`], /^error: Cannot read .*none.json: No such file/],
    [["html", `${path}/empty.json`], /^error: Cannot read .*empty.json: it is empty/],
    [["ktap", `${path}/next.json`], /it is a report of version 9, and .* reads versions 1 and 2/],
    [["json", path], /^error: Cannot read .*: Is a directory/],
    [["junit", "-"], /^error: Cannot read standard input: it is empty/],
    [["diff", good, `${path}/empty.json`], /^error: Cannot read .*empty.json: it is empty/],
    [["diff", good, other], /^error: Cannot compare: the two runs have no case in common/],
    [["junit", good, "-o", "/nonexistent/x"], /^error: Cannot write the report \/nonexistent/],
    [["pdf", good], /unknown command 'pdf'/],
  ];
  for (const [args, says] of bad) {
    const { code, stdout, stderr } = await runTool(["report", ...args]);
    assert.match(stderr, says);
    assert.doesNotMatch(stderr, /\n\s+at /);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
  }
});

Deno.test("list and explain print as JSON what they know, of the cases that a filter leaves", async () => {
  const ids = async (...args: string[]) => {
    const { code, stdout } = await runTool(["list", "--json", ...args]);
    assert.equal(code, 0);
    return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
  };
  const all = await ids();
  assert.deepEqual(all, CATALOGUE.map(({ id }) => id));
  const needing = await ids("--needs", "seqpacket");
  const without = await ids("--without", "seqpacket");
  assert.ok(needing.includes("seqpacket/msg-trunc/returns-real-length"));
  assert.deepEqual(new Set([...needing, ...without]), new Set(all));
  assert.equal(needing.length + without.length, all.length);
  assert.equal(
    (await ids("--level", "must")).length + (await ids("--level", "should")).length,
    all.length,
  );
  assert.ok((await ids("--ported")).length > 0);
  const { stdout } = await runTool(["explain", "--json", "seqpacket/msg-trunc"]);
  const [facts] = JSON.parse(stdout);
  assert.deepEqual(facts.upstream, {
    name: "SOCK_SEQPACKET MSG_TRUNC flag",
    program: "vsock_test",
    id: 7,
  });
  assert.deepEqual(facts.needs, { client: ["seqpacket"], server: ["seqpacket"] });
  assert.deepEqual(facts.does, findCase(facts.id)?.does);
  assert.match(facts.does.server, /^accepts, .* checks that it returns 32 /);
  assert.equal(facts.refs[1].text, "recv(2): MSG_TRUNC");
});
