/**
 * The project's tests: its checks, the unit tests, then the tests that boot VMs (not with
 * `--no-vm`). Ends with the line `N passed, N failed`.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { toolCommand } from "./command.ts";
import { wrongImports } from "./imports.ts";
import { portingIsFresh } from "./porting.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
/** The guard against touching this machine's own AF_VSOCK. */
const ENV = { VSOCK_CONFORMANCE_FORBID_VSOCK: "1", NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };

interface Tally {
  passed: number;
  failed: number;
}

const { vm } = toolCommand("ok", "runs the project's checks and tests")
  .option("--no-vm", "without those that boot VMs")
  .parse(Deno.args, { from: "user" }).opts();
const tally: Tally = { passed: 0, failed: 0 };

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** Runs Deno, shows what it writes, and gives that as text. */
async function deno(...args: string[]): Promise<{ success: boolean; text: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: ENV,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  let text = "";
  const show = async (stream: ReadableStream<Uint8Array>) => {
    for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
      text += piece;
      await Deno.stdout.write(new TextEncoder().encode(piece));
    }
  };
  const [status] = await Promise.all([child.status, show(child.stdout), show(child.stderr)]);
  return { success: status.success, text };
}

/** A check that passes or fails as a whole. */
async function check(name: string, body: () => Promise<boolean>): Promise<void> {
  const started = performance.now();
  const passed = await body();
  tally[passed ? "passed" : "failed"]++;
  say(`${passed ? "ok" : "FAILED"}: ${name} (${Math.round(performance.now() - started)} ms)`);
}

/** Test files, counted test by test. */
async function tests(name: string, ...args: string[]): Promise<void> {
  say(`\n== ${name}`);
  const { success, text } = await deno("test", "-A", ...args);
  const counts = /(\d+) passed.*?\| (\d+) failed/.exec(text);
  const failed = Number(counts?.[2] ?? 0);
  tally.passed += Number(counts?.[1] ?? 0);
  // A run that failed without a failing test (a leak, a module that does not load) counts as one.
  tally.failed += success ? failed : Math.max(failed, 1);
}

await check("format", async () => (await deno("fmt", "--check")).success);
await check("lint", async () => (await deno("lint")).success);
await check("types", async () => (await deno("check", "--quiet", ".")).success);
await check("documentation", async () => (await deno("doc", "--lint", "mod.ts")).success);
await check("examples", async () => (await deno("check", "--quiet", "--doc", "mod.ts")).success);
await check("publish", async () => {
  return (await deno("publish", "--dry-run", "--allow-dirty", "--quiet")).success;
});
await check("imports", async () => {
  const wrong = await wrongImports(ROOT);
  wrong.forEach(say);
  return wrong.length === 0;
});
await check("docs/porting.md", portingIsFresh);
await tests("unit tests", "--parallel", "--ignore=tests/vm", "--quiet");
if (vm) await tests("tests in VMs", "tests/vm");
say(`\n${tally.passed} passed, ${tally.failed} failed`);
Deno.exit(tally.failed === 0 && tally.passed > 0 ? 0 : 1);
