/**
 * Calls libc from hot loops in a VM, many thousand times, as the loops of `perf` do and as a public
 * report says crashes the engine on arm64 now and then. Exit code 1 where a process died, or a call
 * gave another result than it must. What came of it is in docs/reliability.md.
 *
 * @module
 */
import { archOption } from "../cli/options/vm.ts";
import { wholeNumber } from "../cli/options/parse.ts";
import type { Arch } from "../lab/arch.ts";
import { LabError } from "../lab/error.ts";
import { bundle } from "../lab/image/bundle.ts";
import { DEFAULT_KERNEL } from "../lab/kernel/kernel.ts";
import { startLab } from "../lab/lab.ts";
import { Progress } from "../lab/progress.ts";
import { runScript } from "../lab/vm/shell.ts";
import { screenOf } from "../report/screen.ts";
import { fileURLToPath } from "node:url";
import { toolCommand } from "./command.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
/** Rounds of one process, and processes of one script. */
const STEP = { rounds: 500, processes: 50 } as const;
/** How long one script may take, in milliseconds: the VM may be emulated. */
const PATIENCE = 600_000;

const command = toolCommand("ffi_loops", "calls libc from hot loops in a VM")
  .argument("[rounds]", "of every loop, a thousand calls each", wholeNumber(1, 1e6), 10_000)
  .argument("[processes]", "of the report's own program", wholeNumber(0, 1e6), 100)
  .addOption(archOption())
  .parse(Deno.args, { from: "user" });
const [rounds, processes] = command.processedArgs;
const arch = (command.getOptionValue("arch") ?? "arm64") as Arch;
const screen = screenOf(Deno.stdout);

/** A program of the tests as one file for the VM. */
async function program(name: string) {
  const folder = await Deno.makeTempDir();
  try {
    await bundle(ROOT, `${folder}/x.js`, `tests/support/${name}.ts`);
    return { path: `app/${name}.js`, data: await Deno.readFile(`${folder}/x.js`) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Shows how far a script is. */
function show(text: string): void {
  for (const [line] of text.matchAll(/^round \d+/gm)) screen.write(`${line}\n`);
}

/** The scripts, each with what it does in words. */
function* scripts(): Generator<readonly [what: string, script: string]> {
  const deno = "cd /app && deno run -A --no-check";
  for (let first = 0; first < rounds; first += STEP.rounds) {
    const count = Math.min(STEP.rounds, rounds - first);
    yield [`rounds ${first + 1} to ${first + count}`, `${deno} ffi_rounds.js ${count} ${first}`];
  }
  for (let first = 0; first < processes; first += STEP.processes) {
    const count = Math.min(STEP.processes, processes - first);
    const loop = `for i in $(seq ${count}); do ${deno} ffi_report.js || exit; done`;
    yield [`processes ${first + 1} to ${first + count}`, loop];
  }
}

async function main(): Promise<number> {
  const files = [await program("ffi_rounds"), await program("ffi_report")];
  const options = {
    topology: "loopback",
    kernel: { kernel: DEFAULT_KERNEL },
    arch,
    files,
  } as const;
  const progress = new Progress(screenOf(Deno.stderr));
  await using lab = await startLab(options, progress);
  for (const [what, script] of scripts()) {
    const started = performance.now();
    const late = AbortSignal.timeout(PATIENCE);
    const { output, status } = await runScript(lab.address.vms[0].shell, script, late, show);
    const seconds = Math.round((performance.now() - started) / 1000);
    screen.write(`${what}: ${status === 0 ? "passed" : `exit code ${status}`}, ${seconds} s\n`);
    if (status === 0) continue;
    screen.write(`${output}\n`);
    return 1;
  }
  return 0;
}

try {
  Deno.exitCode = await main();
} catch (error) {
  if (!(error instanceof LabError)) throw error;
  screenOf(Deno.stderr).write(`tools/ffi_loops.ts: ${error.message}\n`);
  Deno.exitCode = 69;
}
