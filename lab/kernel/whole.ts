/**
 * Whole kernels, built over allnoconfig from Debian's package of the kernel's source.
 *
 * @module
 */
import type { ArchTraits } from "../arch.ts";
import { LabError } from "../error.ts";
import { cached, cacheFolder } from "../host/cache.ts";
import { output } from "../host/command.ts";
import type { Compiler } from "../host/compiler.ts";
import { type Progress, waiting } from "../progress.ts";

const KERNELS = "kernels";

/** The folder of a kernel in the cache, which may not be there yet. */
export async function wholeFolder(name: string, arch: Pick<ArchTraits, "name">): Promise<string> {
  return `${await cacheFolder(KERNELS)}/${name}-${arch.name}`;
}

/**
 * The folder of a kernel in the cache, built if it is not there.
 *
 * @param build builds it into a folder.
 * @param refresh build it again, even if it is in the cache.
 */
export async function findOrBuild(
  name: string,
  arch: ArchTraits,
  build: (arch: ArchTraits, making: string, progress: Progress) => Promise<void>,
  refresh: boolean,
  progress: Progress,
): Promise<string> {
  return await cached(
    [KERNELS, `${name}-${arch.name}`],
    (making) => build(arch, making, progress),
    (what) => progress.log(`${what}; building it again`),
    { refresh, ...waiting(progress) },
  );
}

/** A kernel to be built in its source. */
export interface WholeBuild {
  /** The root of the tree. */
  readonly root: string;
  readonly arch: ArchTraits;
  readonly compiler: Compiler;
  readonly progress: Progress;
}

/**
 * Calls make in the tree, with a job more than there are processors.
 *
 * @throws {LabError} with the end of its errors, if it fails.
 */
export async function make(build: WholeBuild, ...args: string[]): Promise<void> {
  const { root, compiler: { env, kernelArguments }, progress: { stop: signal } } = build;
  const jobs = `-j${navigator.hardwareConcurrency + 1}`;
  await output("make", ["-s", jobs, ...kernelArguments, ...args], { cwd: root, env, signal });
}

/**
 * Configures the kernel with nothing but a fragment, and what that needs.
 *
 * @throws {LabError} with the settings that were not accepted, if there are any.
 */
export async function configure(build: WholeBuild, wanted: string): Promise<void> {
  const { root, compiler: { env } } = build;
  await Deno.writeTextFile(`${root}/wanted.config`, wanted);
  await make(build, "allnoconfig");
  await output("scripts/kconfig/merge_config.sh", ["-m", ".config", "wanted.config"], {
    cwd: root,
    env,
  });
  await make(build, "olddefconfig");
  const config = (await Deno.readTextFile(`${root}/.config`)).split("\n");
  const missing = wanted.split("\n")
    .filter((line) => line.startsWith("CONFIG_") && !config.includes(line));
  if (missing.length > 0) {
    throw new LabError(`Cannot configure this kernel: it did not accept ${missing.join(" ")}`);
  }
}

/** The path of the image that boots. */
export function imageOf({ root, arch: { kernelFolder, kernelImage } }: WholeBuild): string {
  return `${root}/arch/${kernelFolder}/boot/${kernelImage}`;
}
