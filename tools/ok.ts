/**
 * The project's tests: its checks, the unit tests, then the tests that boot VMs (not with
 * `--no-vm`). Ends with the names of what was not run and what failed, each with the first line of
 * its error, and the line `N passed, N failed`, to which `, N skipped` is added where tests were not
 * run.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { behavioursAreFresh } from "./behaviours.ts";
import { toolCommand } from "./command.ts";
import { missingPaths } from "./document_paths.ts";
import { wrongImports } from "./imports.ts";
import { manIsFresh } from "./man.ts";
import { modelIsFresh } from "./model_doc.ts";
import { portingIsFresh } from "./porting.ts";
import { isOnPath, sortOut } from "./needs.ts";
import { brokenInPackage, undocumented } from "./package.ts";
import { specificationIsFresh } from "./specification.ts";
import { firstErrorLine, summaryOf, sumOf } from "./tally.ts";
import { REST, runTestFiles, testFilesBelow } from "./test_files.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
/** The guard against touching this machine's own AF_VSOCK. */
const ENV = { VSOCK_CONFORMANCE_FORBID_VSOCK: "1", NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };

/** How long a check may take, a unit test, and a test that boots VMs, in milliseconds. */
const CHECK_LIMIT = 600_000;
const UNIT_LIMIT = 300_000;
const VM_LIMIT = 1_800_000;
/** And the commands on a fresh machine. */
const FRESH_LIMIT = 3_600_000;

interface Tally {
  passed: number;
  failed: number;
  readonly failures: string[];
  readonly ignored: string[];
}

const { vm, fresh } = toolCommand("ok", "runs the project's checks and tests")
  .option("--no-vm", "without those that boot VMs")
  .option("--fresh", "the README's commands on a fresh machine, too; root only")
  .parse(Deno.args, { from: "user" }).opts();
const tally: Tally = { passed: 0, failed: 0, failures: [], ignored: [] };

function show(text: string | Uint8Array): void {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  Deno.stdout.writeSync(bytes);
}

function say(text: string): void {
  show(`${text}\n`);
}

/** Runs Deno, which shows what it writes, within a time in milliseconds; gives what went wrong. */
async function deno(args: readonly string[], limit = CHECK_LIMIT): Promise<string | undefined> {
  const signal = AbortSignal.timeout(limit);
  const child = new Deno.Command(Deno.execPath(), {
    ...{ args: [...args], cwd: ROOT, env: ENV, signal },
    ...{ stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  let text = "";
  const read = async (stream: ReadableStream<Uint8Array>) => {
    for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
      text += piece;
      show(piece);
    }
  };
  const reading = Promise.all([read(child.stdout), read(child.stderr)]);
  const { success } = await child.status;
  // Whatever it started and left behind may still hold its output.
  await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, REST))]);
  if (success) return undefined;
  return signal.aborted ? `it had not ended after ${limit / 1000} s` : firstErrorLine(text);
}

/** A check that passes or fails as a whole; its body gives what went wrong. */
async function check(name: string, body: () => Promise<string | undefined>): Promise<void> {
  const started = performance.now();
  const why = await body();
  tally[why === undefined ? "passed" : "failed"]++;
  if (why !== undefined) tally.failures.push(`${name}: ${why}`);
  const word = why === undefined ? "ok" : "FAILED";
  say(`${word}: ${name} (${Math.round(performance.now() - started)} ms)`);
}

/** A check that gives what is wrong, as lines. */
async function checkLines(name: string, body: () => Promise<readonly string[]>): Promise<void> {
  await check(name, async () => {
    const wrong = await body();
    wrong.forEach(say);
    return wrong[0];
  });
}

/** Test files, counted test by test. */
async function tests(name: string, files: readonly string[], jobs: number, limit: number) {
  say(`\n== ${name}`);
  const settings = { root: ROOT, env: ENV, jobs, limit, show };
  const sorted = await sortOut(files, isOnPath);
  sorted.counts.failures.forEach((why) => say(`FAILED: ${why}`));
  const ran = await runTestFiles(sorted.files, settings);
  const { passed, failed, failures, ignored } = sumOf([sorted.counts, ran]);
  tally.passed += passed;
  tally.failed += failed;
  tally.failures.push(...failures);
  tally.ignored.push(...ignored);
}

await check("format", () => deno(["fmt", "--check"]));
await check("lint", () => deno(["lint"]));
await check("types", () => deno(["check", "--quiet", "."]));
await checkLines("documentation", () => undocumented());
await check("publish", () => deno(["publish", "--dry-run", "--allow-dirty", "--quiet"]));
await checkLines("package", brokenInPackage);
await checkLines("imports", () => wrongImports(ROOT));
await checkLines("paths in documents", () => missingPaths(ROOT));
await check("docs/porting.md", async () => {
  return await portingIsFresh() ? undefined : "run 'deno run -A tools/porting.ts'";
});
await check("docs/model.md", async () => {
  return await modelIsFresh() ? undefined : "run 'deno run -A tools/model_doc.ts'";
});
await check("man/vsock-conformance.1", async () => {
  return await manIsFresh() ? undefined : "run 'deno run -A tools/man.ts'";
});
await check("docs/behaviours.md", async () => {
  return await behavioursAreFresh() ? undefined : "run 'deno run -A tools/behaviours.ts'";
});
await check("docs/specification.md", async () => {
  return await specificationIsFresh() ? undefined : "run 'deno run -A tools/specification.ts'";
});
const isVmTest = (path: string) => path.startsWith("tests/vm/");
const unitTests = await testFilesBelow(ROOT, (path) => !isVmTest(path));
await tests("unit tests", unitTests, navigator.hardwareConcurrency, UNIT_LIMIT);
if (vm) {
  const vmTests = await testFilesBelow(ROOT, isVmTest);
  // An emulated VM keeps about one processor busy. Whole catalogues are run alone: beside another VM
  // a host with its guest takes too long for them, and for the deadlines of the C programs.
  const isWhole = (path: string) => /\/(lab|interop)_test\.ts$/.test(path);
  const atOnce = Math.min(2, navigator.hardwareConcurrency);
  await tests("tests in VMs", vmTests.filter((path) => !isWhole(path)), atOnce, VM_LIMIT);
  await tests("whole catalogues in VMs", vmTests.filter(isWhole), 1, VM_LIMIT);
}
if (fresh) {
  say("\n== a fresh machine");
  const tool = ["run", "-A", "--no-check", "tools/fresh.ts", "--turn"];
  await check("fresh machine", () => deno(tool, FRESH_LIMIT));
}
say("");
say(summaryOf(tally));
Deno.exit(tally.failed === 0 && tally.passed > 0 ? 0 : 1);
