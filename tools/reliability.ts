/**
 * Runs the whole suite many times on one loopback VM, and tells whether a verdict was flaky and
 * whether the agents' memory and descriptors grow: `deno run -A tools/reliability.ts [rounds]
 * [options of lab run]`. Exit code 1 where either is so. The figures are in docs/reliability.md.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { wholeNumber } from "../cli/options/parse.ts";
import { parseReport } from "../report/schema.ts";
import { toolCommand } from "./command.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const NAME = "reliability";
/** How long after each other samples are taken, in milliseconds. */
const PAUSE = 20_000;
/** How much a later part of the run may hold more than an earlier one, in kB. */
const GROWTH = 16 * 1024;

/** Prints a line for each agent: its process, its memory in kB, its descriptors. */
const SCRIPT =
  `for pid in $(grep -l 'crash-journal./tmp/agen[t]' /proc/[0-9]*/cmdline | cut -d/ -f3); do
  rss=$(grep VmRSS /proc/$pid/status | tr -dc 0-9)
  echo "$pid $rss $(ls /proc/$pid/fd | wc -l)"
done
echo "free $(grep MemAvailable /proc/meminfo | tr -dc 0-9) $(cut -d' ' -f1 /proc/sys/fs/file-nr)"`;

interface Sample {
  readonly seconds: number;
  /** Of each process: its memory in kB, and how many descriptors it has. */
  readonly processes: ReadonlyMap<string, readonly [memory: number, descriptors: number]>;
}

const [rounds, options] = toolCommand("reliability", "runs the whole suite many times in a VM")
  .argument("[rounds]", "how many", wholeNumber(1, 1e6), 50)
  .argument("[options...]", "of lab run")
  .passThroughOptions()
  .parse(Deno.args, { from: "user" }).processedArgs;

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

function labArguments(command: string, name: string, args: readonly string[]): string[] {
  return ["run", "-A", `${ROOT}cli.ts`, "lab", command, "--name", name, ...args];
}

function lab(command: string, args: readonly string[], stdin?: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: labArguments(command, NAME, args),
    stdin: stdin === undefined ? "null" : "piped",
    stdout: stdin === undefined ? "inherit" : "piped",
    stderr: "inherit",
  }).spawn();
  if (stdin !== undefined) new Response(stdin).body?.pipeTo(child.stdin);
  return child;
}

async function sample(started: number, controller: number): Promise<Sample> {
  const text = await new Response(lab("shell", ["loopback"], SCRIPT).stdout).text();
  const processes = new Map<string, [number, number]>();
  for (const [, name = "", memory, descriptors] of text.matchAll(/^(\w+) (\d+) (\d+)$/gm)) {
    processes.set(name, [Number(memory), Number(descriptors)]);
  }
  const status = await Deno.readTextFile(`/proc/${controller}/status`);
  const open = (await Array.fromAsync(Deno.readDir(`/proc/${controller}/fd`))).length;
  processes.set("controller", [Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]), open]);
  const seconds = Math.round((performance.now() - started) / 1000);
  const shown = [...processes].map(([name, [memory, open]]) => `${name} ${memory} kB ${open}`);
  say(`# ${seconds} s: ${shown.join(", ")}`);
  return { seconds, processes };
}

/** What grew from one half of the samples to the other, without the first third: the engine's heap. */
function growing(samples: readonly Sample[]): string[] {
  const used = samples.slice(Math.ceil(samples.length / 3));
  const half = Math.floor(used.length / 2);
  const names = used[0]?.processes.keys() ?? [];
  return [...names].filter((name) => name !== "free").flatMap((name) => {
    // A case under way has what it needs; what is kept between cases is the least there is.
    const least = (part: readonly Sample[], of: 0 | 1) =>
      Math.min(...part.map(({ processes }) => processes.get(name)?.[of] ?? Infinity));
    const [before, after] = [used.slice(0, half), used.slice(half)];
    const memory = least(after, 0) - least(before, 0);
    const descriptors = least(after, 1) - least(before, 1);
    return [
      ...(memory > GROWTH ? [`${name}: ${memory} kB more`] : []),
      ...(descriptors > 0 ? [`${name}: ${descriptors} descriptors more`] : []),
    ];
  });
}

/** Ends this process where `lab run` cannot be told that: it says so also where no lab is up. */
async function requireOptions(args: readonly string[]): Promise<void> {
  const command = new Deno.Command(Deno.execPath(), {
    args: labArguments("run", `${NAME}-none`, args),
  });
  const { code, stderr } = await command.output();
  if (code !== 2) return;
  await Deno.stderr.write(stderr);
  Deno.exit(2);
}

await requireOptions(options);
const report = await Deno.makeTempFile({ suffix: ".json" });
const samples: Sample[] = [];
const args = [
  "--repeat",
  `${rounds}`,
  "--timeout",
  "86400",
  "--report",
  `json=${report}`,
  ...options,
];
if (!(await lab("up", ["--topology", "loopback"]).status).success) Deno.exit(2);
try {
  const started = performance.now();
  const run = lab("run", args);
  let running = true;
  run.status.then(() => running = false);
  while (running) {
    samples.push(
      await sample(started, run.pid).catch((error) => {
        if (running) throw error;
        return { seconds: 0, processes: new Map() };
      }),
    );
    await Promise.race([run.status, new Promise((resolve) => setTimeout(resolve, PAUSE))]);
  }
  const { cases, rounds: ran = 1 } = parseReport(await Deno.readTextFile(report), report);
  const flaky = cases.filter(({ outcomes = {} }) => Object.keys(outcomes).length > 1);
  const grown = growing(samples.filter(({ seconds }) => seconds > 0));
  say(`${ran} rounds of ${cases.length} cases: ${flaky.length} flaky; grown: ${grown.join("; ")}`);
  Deno.exitCode = flaky.length === 0 && grown.length === 0 ? 0 : 1;
} finally {
  await Deno.remove(report);
  await lab("down", []).status;
}
