/**
 * Runs cases in a lab and counts the kernel's functions that they enter.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { RunEvent } from "../../core/event.ts";
import type { Verdict } from "../../core/outcome.ts";
import { directionsOf, planRun, type Topology } from "../../core/plan.ts";
import type { Arch } from "../../lab/arch.ts";
import { bundle } from "../../lab/image/bundle.ts";
import { LabError } from "../../lab/error.ts";
import { startLab } from "../../lab/lab.ts";
import type { Progress } from "../../lab/progress.ts";
import { runScript } from "../../lab/vm/shell.ts";
import { runPlan } from "../../runner/run.ts";
import type { ConformanceCase } from "../../kit/mod.ts";
import {
  countedFor,
  type Counts,
  COUNTS_FILE,
  likelyNames,
  probeScript,
  probesFor,
  refusedIn,
  type SideCounts,
} from "./counts.ts";
import type { LabVm, VmRole } from "../../lab/layout.ts";
import { vmsOf } from "../../lab/types.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
/** How long a case may take, in milliseconds: VMs may be emulated, and probes cost time. */
const CASE_TIME = 120_000;
/** How long a script in a VM may take, in milliseconds. */
const SCRIPT_TIME = 180_000;

/** What is to be measured, and where. */
export interface MeasureOptions {
  readonly topology: Topology;
  readonly kernel: string;
  readonly arch?: Arch | undefined;
  readonly cases: readonly ConformanceCase[];
  /** Count what the cases name, or every function of AF_VSOCK as well. */
  readonly every?: boolean | undefined;
  /** Is told of the run's events. */
  readonly sink?: (event: RunEvent) => void;
}

/** One kernel of a lab, and what was counted on it. */
export interface Machine {
  readonly name: VmRole;
  /** The kernel's release. */
  readonly kernel: string;
  /** The functions that could be counted. */
  readonly functions: ReadonlySet<string>;
  /** What was entered while each case ran, in all directions. */
  readonly counts: ReadonlyMap<string, Counts>;
}

/** What was measured. */
export interface Measured {
  readonly topology: Topology;
  readonly machines: readonly Machine[];
  /** The verdicts of each case, one a direction. */
  readonly verdicts: ReadonlyMap<string, readonly Verdict[]>;
}

/** The functions that cases name. */
export function functionsOf({ refs }: Pick<ConformanceCase, "refs">): string[] {
  return refs.flatMap((reference) => reference.kind === "kernel" ? [reference.function] : []);
}

/**
 * Boots a lab, runs the cases in all its directions, and counts.
 *
 * @throws {LabError} where it does not boot, or does not last.
 */
export async function measure(options: MeasureOptions, progress: Progress): Promise<Measured> {
  const { topology, kernel, arch, cases, every = false, sink = () => {} } = options;
  const data = await progress.phase("agent", "bundling the counting agent", countingAgent);
  const files = [{ path: "app/vsock-conformance.js", data }];
  const labOptions = { topology, kernel: { kernel }, arch, files };
  await using lab = await startLab(labOptions, progress);
  const vms = vmsOf(lab.address);
  const wanted = new Set(cases.flatMap(functionsOf));
  const probed = await progress.phase(
    "probes",
    "putting probes on the kernel's functions",
    () => Promise.all(vms.map((vm) => putProbes(vm, wanted, every))),
  );
  const verdicts = new Map<string, Verdict[]>();
  using ends = await lab.connect(progress.stop);
  const { stopped } = await runPlan({
    topology,
    plan: planRun(cases, directionsOf(topology, "both")),
    ends,
    port: 1234,
    timeout: CASE_TIME,
    seed: 1,
    stop: progress.stop,
    sink: (event) => {
      if (event.type === "case-end") {
        verdicts.set(event.run.id, [...verdicts.get(event.run.id) ?? [], event.verdict]);
      }
      sink(event);
    },
  });
  if (stopped !== undefined) throw new LabError(`the run stopped: ${stopped}`);
  const machines = await Promise.all(vms.map(async (vm, i): Promise<Machine> => ({
    name: vm.name,
    kernel: (await inVm(vm, "uname -r")).trim(),
    functions: probed[i] ?? new Set(),
    counts: await countsOf(vm),
  })));
  return { topology, machines, verdicts };
}

async function countingAgent(): Promise<Uint8Array> {
  const folder = await Deno.makeTempDir();
  try {
    await bundle(ROOT, `${folder}/agent.js`, "tools/exercised/agent.ts");
    return await Deno.readFile(`${folder}/agent.js`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function inVm({ shell }: LabVm, script: string): Promise<string> {
  const { output, status } = await runScript(shell, script, AbortSignal.timeout(SCRIPT_TIME));
  if (status !== 0) throw new LabError(`a script in the VM failed with ${status}:\n${output}`);
  return output;
}

/** Puts the probes on a machine's kernel and gives the names of the functions that have one. */
async function putProbes(
  vm: LabVm,
  wanted: ReadonlySet<string>,
  every: boolean,
): Promise<Set<string>> {
  // All symbols of a kernel are megabytes: what cannot matter stays in the VM.
  const symbols = await inVm(vm, `grep -E '${likelyNames(wanted)}' /proc/kallsyms`);
  const probes = probesFor(symbols, wanted, every);
  const refused = refusedIn(await inVm(vm, probeScript(probes)));
  return new Set(probes.map(({ name }) => name).filter((name) => !refused.has(name)));
}

/** The text of what gzip made of it, in base64. */
async function unpacked(packed: string): Promise<string> {
  const bytes = Uint8Array.from(atob(packed.replaceAll(/\s/g, "")), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).text();
}

/** What was counted on a machine, by case. A case's sides in one direction ran at the same time. */
async function countsOf(vm: LabVm): Promise<Map<string, Counts>> {
  // A serial line in a guest in an emulated host is slow.
  const packed = await inVm(vm, `gzip -c ${COUNTS_FILE} | base64`);
  const text = await unpacked(packed);
  const sides = text.split("\n").filter((line) => line !== "").map((line): SideCounts =>
    JSON.parse(line)
  );
  const isLoopback = vm.name === "loopback";
  const counts = new Map<string, Counts>();
  for (const [id, own] of Map.groupBy(sides, ({ id }) => id)) {
    const runs = isLoopback ? [own] : own.map((side) => [side]);
    counts.set(id, runs.map(countedFor).reduce(added, {}));
  }
  return counts;
}

function added(a: Counts, b: Counts): Counts {
  const names = [...Object.keys(a), ...Object.keys(b)];
  return Object.fromEntries(names.map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]));
}
