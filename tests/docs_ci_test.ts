import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { parse } from "yaml";
import { parseReport } from "../report/schema.ts";
import { CiScript } from "./support/ci_script.ts";
import { startAgent } from "./support/tool.ts";
import { freshName } from "./support/unix_pair.ts";

const path = (name: string) => fileURLToPath(new URL(`../docs/ci/${name}`, import.meta.url));

/** What bash says of a script that it only reads. */
async function bashReads(script: string): Promise<string> {
  const command = new Deno.Command("bash", { args: ["-n"], stdin: "piped", stderr: "piped" });
  await using child = command.spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  const { stderr } = await child.output();
  return new TextDecoder().decode(stderr);
}

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

Deno.test("docs/ci/run.sh is what bash takes, and can be executed", async () => {
  assert.equal(await bashReads(await Deno.readTextFile(path("run.sh"))), "");
  assert.ok(((await Deno.stat(path("run.sh"))).mode ?? 0) & 0o100);
});

Deno.test("docs/ci/github-actions.yml is YAML whose steps each use or run something", async () => {
  const text = await Deno.readTextFile(path("github-actions.yml"));
  const { jobs } = parse(text, { strict: true }) as {
    jobs: Record<string, { steps: readonly Step[]; "runs-on": string }>;
  };
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  assert.ok(steps.length > 0);
  for (const { uses, run } of steps) {
    assert.notEqual(uses === undefined, run === undefined, "one of the two");
    if (uses !== undefined) assert.match(uses, /^actions\/[a-z-]+@v\d+$/);
    else assert.equal(await bashReads(run?.replace(/\$\{\{.*?\}\}/g, "x") ?? ""), "");
  }
  assert.ok(steps.some(({ run }) => run?.startsWith("docs/ci/run.sh ")));
  assert.ok(steps.some(({ with: given }) => given?.path === "reports/"));
});

/** A case that AF_UNIX passes. */
const PASSING = "stream/close/by-client-keeps-data";
/** The reports of a run. */
const REPORTS = ["run.html", "run.json", "run.ktap", "run.xml"];

/** What the script wrote. */
async function written({ out }: CiScript): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(out), ({ name }) => name)).sort();
}

Deno.test("docs/ci/run.sh runs cases on an agent, and keeps all that it promises", async (t) => {
  const name = freshName();
  const { tool: agent, address } = await startAgent("--stand-in", name);
  await using _agent = agent;
  await using script = await CiScript.make();
  const env = { AGENT: address, PEER_CID: "1" };
  const options = ["--stand-in", name, "--case-timeout", "60"];

  await t.step("cases that pass", async () => {
    const { code, stdout, stderr } = await script.run([...options, PASSING], env);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /1 passed, 0 failed/);
    assert.deepEqual(await written(script), REPORTS);
    const { cases } = parseReport(await script.report("run.json"), "run.json");
    assert.deepEqual(cases.map(({ id, verdict }) => [id, verdict?.outcome]), [
      [PASSING, "pass"],
    ]);
    assert.match(await script.report("run.xml"), /<testsuites?\b.* tests="1"/);
    assert.match(await script.report("run.ktap"), /^KTAP version 1\n[^]* ok 1 stream\/close\/by-/);
    assert.match(await script.report("run.html"), /^<!doctype html>/i);
  });

  await t.step("a case that fails, in GitHub's CI, beside an earlier report", async () => {
    const [before, summary] = [script.path("before.json"), script.path("summary.md")];
    await Deno.copyFile(`${script.out}/run.json`, before);
    const more = { BEFORE: before, GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: summary };
    const failing = ["stream/connect/refused-without-socket", PASSING];
    const { code, stdout, stderr } = await script.run([...options, ...failing], {
      ...env,
      ...more,
    });
    assert.equal(code, 1, stderr);
    assert.match(stdout, /^::error .*stream\/connect\/refused-without-socket/m);
    assert.match(await Deno.readTextFile(summary), /refused-without-socket/);
    assert.deepEqual(await written(script), ["diff.txt", ...REPORTS]);
    assert.match(await script.report("diff.txt"), /refused-without-socket/);
  });
});

Deno.test("docs/ci/run.sh ends with the code of a run that does not start", async (t) => {
  await using script = await CiScript.make();

  await t.step("a lab without a kernel, whose report says so", async () => {
    await Deno.mkdir(script.out);
    for (const name of ["run.json", "diff.txt"]) {
      await Deno.writeTextFile(`${script.out}/${name}`, "yesterday");
    }
    const { code, stderr } = await script.run(["--kernel", "/nonexistent/vmlinuz", "stream/close"]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /There is no kernel at \/nonexistent\/vmlinuz/);
    assert.deepEqual(await written(script), REPORTS);
    const { notStarted } = parseReport(await script.report("run.json"), "run.json");
    assert.match(JSON.stringify(notStarted), /no kernel at/);
  });

  await t.step("an option that there is not, and no report", async () => {
    const { code, stderr } = await script.run(["--frobnicate"]);
    assert.equal(code, 2);
    assert.match(stderr, /unknown option '--frobnicate'[^]*\nrun\.sh: the run left no report\n$/);
    assert.deepEqual(await written(script), []);
  });

  await t.step("an agent without its CID", async () => {
    const { code, stderr } = await script.run(["stream/close"], { AGENT: "127.0.0.1:1" });
    assert.deepEqual([code, stderr], [2, "run.sh: give the CID of the guest: PEER_CID=3\n"]);
  });

  await t.step("a folder that cannot be made", async () => {
    const { code } = await script.run(["stream/close"], { OUT: "/proc/none" });
    assert.equal(code, 2);
  });
});
