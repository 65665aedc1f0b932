/**
 * The command `lab build-kernel`, which builds the debug kernel.
 *
 * @module
 */
import { EXIT } from "../core/outcome.ts";
import { type Arch, archTraits, ownArch } from "../lab/arch.ts";
import { buildDebugKernel } from "../lab/kernel/debug.ts";
import { Progress } from "../lab/progress.ts";
import { screenOf } from "../report/screen.ts";
import { interruptible } from "./signals.ts";

/** Builds the debug kernel, unless it is in the cache. */
export function labBuildKernel(
  { refresh, arch }: { refresh?: true | undefined; arch?: Arch | undefined },
): Promise<number> {
  return interruptible(async (stop) => {
    const progress = new Progress(screenOf(Deno.stderr), stop);
    const { name } = arch === undefined ? ownArch() : archTraits(arch);
    const folder = await buildDebugKernel(archTraits(name), refresh ?? false, progress);
    progress.log(`the debug kernel is in ${folder}; now "lab --kernel debug --arch ${name}"`);
    return EXIT.ok;
  });
}
