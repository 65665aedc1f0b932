/**
 * The project's tests: its checks, the unit tests, then the tests that boot VMs (not with
 * `--no-vm`). Ends with the line `N passed, N failed`, to which `, N skipped` is added where tests
 * were not run.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { behavioursAreFresh } from "./behaviours.ts";
import { toolCommand } from "./command.ts";
import { wrongImports } from "./imports.ts";
import { portingIsFresh } from "./porting.ts";
import { runTestFiles, testFilesBelow } from "./test_files.ts";

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
  readonly ignored: string[];
}

const { vm, fresh } = toolCommand("ok", "runs the project's checks and tests")
  .option("--no-vm", "without those that boot VMs")
  .option("--fresh", "the README's commands on a fresh machine, too; root only")
  .parse(Deno.args, { from: "user" }).opts();
const tally: Tally = { passed: 0, failed: 0, ignored: [] };

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** Runs Deno, which shows what it writes, and tells whether it ended well, and in time. */
async function deno(...args: string[]): Promise<boolean> {
  return await denoWithin(CHECK_LIMIT, ...args);
}

/** As {@linkcode deno}, within a time in milliseconds. */
async function denoWithin(limit: number, ...args: string[]): Promise<boolean> {
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: ENV,
    stdin: "null",
    signal: AbortSignal.timeout(limit),
  });
  return (await command.spawn().status).success;
}

/** A check that passes or fails as a whole. */
async function check(name: string, body: () => Promise<boolean>): Promise<void> {
  const started = performance.now();
  const passed = await body();
  tally[passed ? "passed" : "failed"]++;
  say(`${passed ? "ok" : "FAILED"}: ${name} (${Math.round(performance.now() - started)} ms)`);
}

/** Test files, counted test by test. */
async function tests(name: string, files: readonly string[], jobs: number, limit: number) {
  say(`\n== ${name}`);
  const show = (text: string) => void Deno.stdout.writeSync(new TextEncoder().encode(text));
  const settings = { root: ROOT, env: ENV, jobs, limit, show };
  const { passed, failed, ignored } = await runTestFiles(files, settings);
  tally.passed += passed;
  tally.failed += failed;
  tally.ignored.push(...ignored);
}

await check("format", () => deno("fmt", "--check"));
await check("lint", () => deno("lint"));
await check("types", () => deno("check", "--quiet", "."));
await check("documentation", () => deno("doc", "--lint", "mod.ts"));
await check("examples", () => deno("check", "--quiet", "--doc", "mod.ts"));
await check("publish", () => deno("publish", "--dry-run", "--allow-dirty", "--quiet"));
await check("imports", async () => {
  const wrong = await wrongImports(ROOT);
  wrong.forEach(say);
  return wrong.length === 0;
});
await check("docs/porting.md", portingIsFresh);
await check("docs/behaviours.md", behavioursAreFresh);
const isVmTest = (path: string) => path.startsWith("tests/vm/");
const unitTests = await testFilesBelow(ROOT, (path) => !isVmTest(path));
await tests("unit tests", unitTests, navigator.hardwareConcurrency, UNIT_LIMIT);
if (vm) await tests("tests in VMs", await testFilesBelow(ROOT, isVmTest), 1, VM_LIMIT);
if (fresh) {
  say("\n== a fresh machine");
  const tool = ["run", "-A", "--no-check", "tools/fresh.ts", "--turn"];
  await check("fresh machine", () => denoWithin(FRESH_LIMIT, ...tool));
}
say("");
for (const name of tally.ignored) say(`skipped: ${name}`);
const skipped = tally.ignored.length === 0 ? "" : `, ${tally.ignored.length} skipped`;
say(`${tally.passed} passed, ${tally.failed} failed${skipped}`);
Deno.exit(tally.failed === 0 && tally.passed > 0 ? 0 : 1);
