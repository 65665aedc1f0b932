/**
 * The command `lab bisect`: the first kernel of Debian's archive that a case fails on.
 *
 * @module
 */
import { bisect, type BisectState } from "../core/bisect.ts";
import { UsageError } from "../core/error.ts";
import { EXIT } from "../core/outcome.ts";
import type { Topology } from "../core/plan.ts";
import { type Arch, chosenArch } from "../lab/arch.ts";
import { archivedKernels } from "../lab/kernel/kernel.ts";
import { Progress } from "../lab/progress.ts";
import { screenOf } from "../report/screen.ts";
import { bisectCode } from "./bisect_code.ts";
import { labProcess } from "./lab_process.ts";
import { interruptible } from "./signals.ts";

/** What is bisected, and on what. */
export interface BisectOptions {
  /** A kernel that the case passes on, as `debian:6.1` or `debian:6.1.192`. */
  readonly good: string;
  /** One that it fails on. */
  readonly bad: string;
  readonly topology: Topology;
  /** Without, this machine's. */
  readonly arch?: Arch | undefined;
}

/** Finds between which two kernels a case begins to fail, or ceases to. */
export function labBisect(id: string, options: BisectOptions): Promise<number> {
  const { topology, arch } = options;
  return interruptible(async (stop) => {
    const traits = chosenArch(arch);
    const progress = new Progress(screenOf(Deno.stderr), stop);
    const all = await archivedKernels(traits, progress);
    const { range, from } = rangeOf(all, options);
    progress.log(`bisecting ${range.length} kernels, ${range[0]} to ${range.at(-1)}`);
    const folder = await Deno.makeTempDir({ prefix: "vsock-bisect-" });
    const test = async (release: string): Promise<BisectState> => {
      const where = ["--topology", topology, "--arch", traits.name, "--quiet"];
      const args = ["--kernel", `debian:${release}`, ...where, id];
      const { report } = await labProcess(args, `${folder}/${release}.json`, stop);
      stop.throwIfAborted();
      const state = ({ 0: "good", 1: "bad", 125: "unknown" } as const)[bisectCode(report)];
      progress.log(`${release}: ${state}`);
      return state;
    };
    try {
      // What the user says of the ends is tried first: all that follows depends on it.
      for (const [name, release] of [["good", range[0]], ["bad", range.at(-1)]] as const) {
        const wanted = from === "good" ? name : name === "good" ? "bad" : "good";
        const found = await test(release ?? "");
        if (found === wanted) continue;
        throw new UsageError(`Cannot bisect: ${id} is ${found} on ${release}, not ${wanted}`);
      }
      const { last, first, untested } = await bisect(range, from, test);
      const other = from === "good" ? "bad" : "good";
      const between = untested.length === 0 ? "" : `; not tested: ${untested.join(", ")}`;
      screenOf(Deno.stdout).write(`${last} is the last ${from} kernel, ${first} the first ${other} \
one${between}\n`);
      return EXIT.ok;
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/**
 * The kernels from the older of the two to the newer, and the state of the older.
 *
 * @param all releases, the oldest first.
 * @throws {UsageError} where one of the two is not among them, or they are one.
 */
export function rangeOf(
  all: readonly string[],
  { good, bad }: Pick<BisectOptions, "good" | "bad">,
): { range: string[]; from: "good" | "bad" } {
  const indexOf = (kernel: string) => {
    const wanted = kernel.replace(/^debian:/, "");
    // The newest of a version, as lab takes it.
    const at = all.findLastIndex((each) => each === wanted || each.startsWith(`${wanted}.`));
    if (at >= 0) return at;
    throw new UsageError(`Debian's archive has no kernel ${wanted}; it has: ${all.join(", ")}`);
  };
  const [g, b] = [indexOf(good), indexOf(bad)];
  if (g === b) throw new UsageError(`--good and --bad are the same kernel: ${all[g]}`);
  return { range: all.slice(Math.min(g, b), Math.max(g, b) + 1), from: g < b ? "good" : "bad" };
}
