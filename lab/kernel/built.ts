/**
 * Kernels whose AF_VSOCK is built from a distribution's source: for several devices, or with faults.
 *
 * @module
 */
import { FAULTS, FORM, plantFaults, readFaults } from "./faults.ts";
import type { Kernel } from "./kept.ts";
import type { ModuleIndex } from "./modules.ts";
import { applyPatch, buildDigest, readFault, readPatches, type SourceChange } from "./patched.ts";

const FAULTY = /^faults(?::(.*))?$/;

/** Whether a kernel is that of the repository's patches for several devices. */
export function isMultiDevice({ kernel }: { readonly kernel: string }): boolean {
  return /^multi-device(:|$)/.test(kernel);
}

/** Whether a kernel's AF_VSOCK is built from its source. */
export function isBuilt(choice: { readonly kernel: string }): boolean {
  return isMultiDevice(choice) || FAULTY.test(choice.kernel);
}

/** How modules of AF_VSOCK are built. */
export interface Build {
  /** Of the folder of the cache that has them. */
  readonly name: string;
  /** What is built, in words. */
  readonly what: string;
  readonly change: SourceChange;
  /** Which VMs load them: a host may have to be a stock one. */
  readonly for: "guests" | "all";
}

/** How the modules of such a kernel are built. */
export async function buildFor(kernel: string): Promise<Build> {
  if (!FAULTY.test(kernel)) return await patchedBuild(kernel);
  const faults = await readFaults();
  return {
    name: `${FAULTS}-${await buildDigest([faults, FORM])}`,
    what: `with ${faults.length} faults, none of them on`,
    change: (tree) => plantFaults(tree, faults),
    for: "all",
  };
}

async function patchedBuild(kernel: string): Promise<Build> {
  const [set = "", fault] = kernel.split(":");
  const patches = await readPatches(set);
  if (fault !== undefined) patches.push(await readFault(set, fault));
  return {
    name: `${set}-${await buildDigest(patches)}`,
    what: `with ${patches.length} patches`,
    change: async (tree, env) => {
      for (const patch of patches) await applyPatch(tree, patch, env);
    },
    for: "guests",
  };
}

/** A kernel whose modules are loaded with the fault on that its name asks for. */
export function withFault(name: string, kernel: Kernel): Kernel {
  const fault = FAULTY.exec(name)?.[1];
  if (fault === undefined) return kernel;
  const modules = kernel.modules.map((module) =>
    module.name === "vsock" ? { ...module, parameters: `fault=${fault}` } : module
  );
  return { ...kernel, modules };
}

/** Keeps modules that were built: in place of the kernel's own, or beside them for guests. */
export async function keepBuilt(
  built: ModuleIndex,
  making: string,
  whose: Build["for"],
): Promise<void> {
  const into = whose === "all" ? making : `${making}/guest`;
  await Deno.mkdir(into, { recursive: true });
  const order: string[] = JSON.parse(await Deno.readTextFile(`${making}/order.json`));
  for (const name of order) {
    const from = built.get(name) ?? `${making}/${name}.ko`;
    const to = `${into}/${name}.ko`;
    if (from !== to) await Deno.copyFile(from, to);
  }
}
