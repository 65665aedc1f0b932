/**
 * The command `lab build-kernel`, which builds the debug kernel, or one that counts lines.
 *
 * @module
 */
import { EXIT } from "../core/outcome.ts";
import { type Arch, chosenArch } from "../lab/arch.ts";
import { buildCoverageKernel } from "../lab/kernel/coverage.ts";
import { buildDebugKernel } from "../lab/kernel/debug.ts";
import { Progress } from "../lab/progress.ts";
import { screenOf } from "../report/screen.ts";
import { interruptible } from "./signals.ts";

/** The kernels that are built. */
export type KernelToBuild = "debug" | "coverage";

const BUILDERS = { debug: buildDebugKernel, coverage: buildCoverageKernel } as const;

/** Builds a kernel, unless it is in the cache. */
export function labBuildKernel(
  kernel: KernelToBuild,
  { refresh, arch }: { refresh?: true | undefined; arch?: Arch | undefined },
): Promise<number> {
  return interruptible(async (stop) => {
    const progress = new Progress(screenOf(Deno.stderr), stop);
    const traits = chosenArch(arch);
    const folder = await BUILDERS[kernel](traits, refresh ?? false, progress);
    const next = kernel === "debug" ? "--kernel debug" : "--coverage <folder>";
    progress.log(`the ${kernel} kernel is in ${folder}; now "lab ${next} --arch ${traits.name}"`);
    return EXIT.ok;
  });
}
