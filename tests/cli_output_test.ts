/**
 * What becomes of the tool where its output is not taken: a reader that goes away, a full disk.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { parseReport } from "../report/schema.ts";
import { runTool, startAgent, startTool } from "./support/tool.ts";
import { freshName } from "./support/unix_pair.ts";

const CLI = fileURLToPath(new URL("../cli.ts", import.meta.url));

/** Reads the first piece of a stream, and goes away. */
async function firstOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) return text;
  assert.fail("it wrote nothing");
}

/** How the tool ends when nobody reads one of its outputs, and what it wrote to the other. */
async function unread(lost: "stdout" | "stderr", args: readonly string[]) {
  const child = startTool(args);
  await child[lost].cancel();
  const other = child[lost === "stdout" ? "stderr" : "stdout"];
  const [{ code }, text] = await Promise.all([child.status, new Response(other).text()]);
  return [code, text];
}

Deno.test("what nobody reads ends the tool quietly, with 141", async () => {
  for (const args of [["list"], ["explain", "stream/**"], ["--help"], ["--mode", "client", "-h"]]) {
    assert.deepEqual(await unread("stdout", args), [141, ""], args.join(" "));
  }
});

Deno.test("an error that nobody reads still ends the tool with its code", async () => {
  for (const args of [["explain", "nothing"], ["--frobnicate"]]) {
    assert.deepEqual(await unread("stderr", args), [2, ""], args.join(" "));
  }
});

Deno.test("output for which there is no room is a sentence, and 2", async () => {
  for (const args of ["list", "--help"]) {
    const line = `exec "${Deno.execPath()}" run -A --no-check "${CLI}" ${args} > /dev/full`;
    const { code, stderr } = await new Deno.Command("sh", { args: ["-c", line] }).output();
    const text = new TextDecoder().decode(stderr);
    assert.match(text, /^error: Cannot write to standard output: No space left[^\n]*\n$/);
    assert.equal(code, 2);
  }
});

/** What a shell's redirection makes of a run with these reports. */
async function redirectedRun(to: string, ...reports: readonly string[]) {
  const name = freshName();
  const { tool: agent, address } = await startAgent("--stand-in", name);
  await using _agent = agent;
  const args = ["run", "--peer-cid", "1", "--agent", address, "--stand-in", name, "stream/close"];
  const options = [...args, ...reports.flatMap((report) => ["--report", report])];
  const line = `exec "${Deno.execPath()}" run -A --no-check "${CLI}" "$@" ${to}`;
  const ran = await new Deno.Command("sh", { args: ["-c", line, "sh", ...options] }).output();
  return { code: ran.code, stderr: new TextDecoder().decode(ran.stderr) };
}

const FULL = /^error: Cannot write the report \/dev\/full: No space left[^\n]*$/;

Deno.test("a report for which there is no room costs no other, is a sentence, and a success", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const paths = ["a.json", "b.json"].map((name) => `${folder}/${name}`);
    const [first, last] = paths.map((path) => `json=${path}`);
    const reports = [first ?? "", "ktap=/dev/full", last ?? ""];
    const { code, stderr } = await redirectedRun("> /dev/null", ...reports);
    const errors = stderr.trimEnd().split("\n");
    assert.equal(errors.length, 1, stderr);
    assert.match(stderr.trimEnd(), FULL);
    assert.equal(code, 2);
    for (const path of paths) {
      const { cases, stopped } = parseReport(await Deno.readTextFile(path), path);
      assert.deepEqual([cases.map(({ verdict }) => verdict?.outcome), stopped], [
        cases.map(() => "pass"),
        undefined,
      ]);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a full disk for reports and output is a sentence for each, and no stack", async () => {
  const { code, stderr } = await redirectedRun("> /dev/full", "json=/dev/full");
  const [report = "", output, ...others] = stderr.trimEnd().split("\n");
  assert.match(report, FULL);
  assert.match(output ?? "", /^error: Cannot write to standard output: No space left[^\n]*$/);
  assert.deepEqual(others, [], stderr);
  assert.equal(code, 2);
});

Deno.test("a run whose output nobody reads any more stops, and writes its report", async () => {
  const folder = await Deno.makeTempDir();
  const name = freshName();
  const { tool: agent, address } = await startAgent("--stand-in", name);
  await using _agent = agent;
  try {
    for (const [lost, ...more] of [["stdout"], ["stderr", "--ktap"]] as const) {
      const json = `${folder}/run.json`;
      const child = startTool([
        ...["run", "--peer-cid", "1", "--agent", address, "--stand-in", name, ...more],
        // It ends of nothing else.
        ...["--repeat", "1000000", "--report", `json=${json}`],
      ]);
      const other = new Response(child[lost === "stdout" ? "stderr" : "stdout"]).text();
      await firstOf(child[lost]);
      assert.equal((await child.status).code, 141);
      assert.equal(await other, "");
      const { stopped } = parseReport(await Deno.readTextFile(json), json);
      const stream = lost === "stdout" ? "standard output" : "standard error";
      assert.equal(stopped?.reason, `nothing reads ${stream} any more`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("an agent whose words nobody reads any more goes on", async () => {
  const name = ["--stand-in", freshName(), "--peer-cid", "1"];
  const agent = startTool(["agent", "--listen", "127.0.0.1:0", ...name]);
  const stdout = new Response(agent.stdout).text();
  try {
    const [, address = ""] = /listening on (\S+)/.exec(await firstOf(agent.stderr)) ?? [];
    for (let i = 0; i < 2; i++) {
      const { code, stderr } = await runTool(["run", "--agent", address, ...name, "stream/close"]);
      assert.equal(code, 0, stderr);
    }
  } finally {
    agent.kill();
    await agent.status;
    await stdout;
  }
});
