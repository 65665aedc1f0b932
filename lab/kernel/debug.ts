/**
 * A debug kernel with KASAN, kmemleak and lockdep, built from Debian's package of the kernel's
 * source, and faulty builds of its AF_VSOCK modules, which leak on purpose.
 *
 * @module
 */
import { LabError, LabUsageError } from "../error.ts";
import { type KernelSource, unpackSource } from "./source.ts";
import { configFragment, mergedConfig } from "./config.ts";
import { indexModules } from "./modules.ts";
import { applyPatch, readPatches, shortName } from "./patched.ts";
import type { Progress } from "../progress.ts";
import { compilerFor } from "../host/compiler.ts";
import { configure, findOrBuild, imageOf, make, wholeFolder } from "./whole.ts";
import type { ArchTraits } from "../arch.ts";
import { keepModules, keptKernel, type Kernel } from "./kept.ts";

/** The folder that contains modules.config. */
const CONFIGS = new URL("../../fixtures/kernel/", import.meta.url);
/** The patch set of the faulty builds; each has one of the patches, and that one's name. */
const WRONG = "leaks";

/** The name of the kernel in the cache. */
const DEBUG = "debug";

/** The folders of the source with the AF_VSOCK modules. */
const VSOCK_FOLDERS = ["net/vmw_vsock", "drivers/vhost"];

/**
 * Finds the kernel in the cache, or builds it.
 *
 * @param refresh build it again, even if it is in the cache.
 * @throws {LabError} if the build fails; it needs 4 GB of disk space for a while.
 */
export async function buildDebugKernel(
  arch: ArchTraits,
  refresh: boolean,
  progress: Progress,
): Promise<string> {
  return await findOrBuild(DEBUG, arch, build, refresh, progress);
}

/**
 * The kernel in the cache.
 *
 * @param fault the name of a faulty build of AF_VSOCK; by default, the correct one.
 * @throws {LabError} if the kernel was not built, or there is no such faulty build.
 */
export async function findDebugKernel(
  fault: string | undefined,
  arch: ArchTraits,
): Promise<Kernel> {
  const folder = await wholeFolder(DEBUG, arch);
  const kernel = await keptKernel(DEBUG, folder).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new LabError(
      `Build the debug kernel first: "lab build-kernel debug --arch ${arch.name}", 12 min or more`,
    );
  });
  if (fault === undefined) return kernel;
  const known = (await readPatches(WRONG)).map(shortName);
  if (!known.includes(fault)) {
    throw new LabUsageError(`There is no faulty build "${fault}"; there are: ${known.join(", ")}`);
  }
  const modules = await Promise.all(kernel.modules.map(async (module) => {
    const data = await Deno.readFile(`${folder}/${fault}/${module.name}.ko`).catch(() => undefined);
    return data === undefined ? module : { ...module, data };
  }));
  return { ...kernel, name: `debug:${fault}`, modules };
}

async function build(arch: ArchTraits, making: string, progress: Progress): Promise<void> {
  const compiler = await compilerFor(arch, "kernels", progress);
  const { env } = compiler;
  const unpacked = `${making}/unpacked`;
  const source = await unpackSource(unpacked, env, progress);
  const whole = { root: source.root, arch, compiler, progress };
  await progress.phase("kernel", `building ${source.name} with KASAN and kmemleak`, async () => {
    const fragment = await configFragment({ arch, hasGuest: true, debug: true });
    const modules = await Deno.readTextFile(new URL("modules.config", CONFIGS));
    await configure(whole, mergedConfig([fragment, modules]));
    await make(whole, arch.kernelImage, "modules");
    await Deno.rename(imageOf(whole), `${making}/vmlinuz`);
    await keepModules(source.root, making);
  });
  for (const patch of await readPatches(WRONG)) {
    const name = shortName(patch);
    await progress.phase(name, `building faulty modules: ${name}`, async () => {
      await applyPatch(source.root, patch, env);
      await make(whole, "modules");
      await keepVsock(source, `${making}/${name}`);
      await applyPatch(source.root, patch, env, "-R");
    });
  }
  await Deno.remove(unpacked, { recursive: true });
}

async function keepVsock({ root }: KernelSource, into: string): Promise<void> {
  await Deno.mkdir(into);
  for (const folder of VSOCK_FOLDERS) {
    for (const [name, path] of await indexModules(`${root}/${folder}`)) {
      await Deno.copyFile(path, `${into}/${name}.ko`);
    }
  }
}
