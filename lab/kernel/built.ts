/**
 * Kernels with AF_VSOCK modules built from a distribution's source: multi-device, or with faults.
 *
 * @module
 */
import { FAULTS, FORM, plantFaults, readFaults } from "./faults.ts";
import type { Kernel } from "./kept.ts";
import type { ModuleIndex } from "./modules.ts";
import { applyPatch, buildDigest, readFault, readPatches, type SourceChange } from "./patched.ts";

const FAULTY = /^faults(?::(.*))?$/;

/** Whether a kernel is the one with this repository's patches for several vsock devices. */
export function isMultiDevice({ kernel }: { readonly kernel: string }): boolean {
  return /^multi-device(:|$)/.test(kernel);
}

/** Whether a kernel's AF_VSOCK modules are built by the lab. */
export function isBuilt(choice: { readonly kernel: string }): boolean {
  return isMultiDevice(choice) || FAULTY.test(choice.kernel);
}

/** How a set of AF_VSOCK modules is built. */
export interface Build {
  /** The name of their folder in the cache. */
  readonly name: string;
  /** What is built, for messages. */
  readonly what: string;
  readonly change: SourceChange;
  /** Which VMs load them. */
  readonly for: "guests" | "all";
}

/** How the modules of a kernel are built. */
export async function buildFor(kernel: string): Promise<Build> {
  if (!FAULTY.test(kernel)) return await patchedBuild(kernel);
  const faults = await readFaults();
  return {
    name: `${FAULTS}-${await buildDigest([faults, FORM])}`,
    what: `with ${faults.length} faults, all turned off`,
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

/** Turns on the fault that is part of a kernel's name, if any. */
export function withFault(name: string, kernel: Kernel): Kernel {
  const fault = FAULTY.exec(name)?.[1];
  if (fault === undefined) return kernel;
  const modules = kernel.modules.map((module) =>
    module.name === "vsock" ? { ...module, parameters: `fault=${fault}` } : module
  );
  return { ...kernel, modules };
}

/** Stores the modules that were built: in place of the kernel's own, or beside them for guests. */
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
