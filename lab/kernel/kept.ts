/**
 * Kernels in the cache: a vmlinuz, and the modules that a lab needs.
 *
 * @module
 */
import { indexModules, type Module, readModules } from "./modules.ts";

/** A kernel that a VM can boot. */
export interface Kernel {
  /** The name by which the user chose it. */
  readonly name: string;
  readonly vmlinuz: string;
  /** In the order in which they have to be loaded. */
  readonly modules: readonly Module[];
  /** The modules for all VMs except a host, if they differ. */
  readonly guestModules?: readonly Module[];
}

/** The modules that VMs need; some may be built into the kernel. */
export const MODULES = [
  "virtio_pci",
  "virtio_blk",
  "virtio_net",
  "ext4",
  "vsock_loopback",
  "vmw_vsock_virtio_transport",
  "vhost_vsock",
  "vsock_diag",
  "kvm_amd",
  "kvm_intel",
];

/** Reads a kernel from a folder of the cache: vmlinuz, modules, and their order. */
export async function keptKernel(name: string, folder: string): Promise<Kernel> {
  const order: string[] = JSON.parse(await Deno.readTextFile(`${folder}/order.json`));
  const load = (from: string) =>
    Promise.all(order.map(async (module) => ({
      name: module,
      data: await Deno.readFile(`${from}/${module}.ko`),
    })));
  const guestModules = await load(`${folder}/guest`).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return undefined;
  });
  const modules = await load(folder);
  const kernel = { name, vmlinuz: `${folder}/vmlinuz`, modules };
  return guestModules === undefined ? kernel : { ...kernel, guestModules };
}

/** Stores the modules below a folder that a lab needs, and their order. */
export async function keepModules(from: string, into: string, xz?: string): Promise<void> {
  const modules = await readModules(
    await indexModules(from),
    MODULES,
    xz === undefined ? {} : { xz },
  );
  for (const module of modules) await Deno.writeFile(`${into}/${module.name}.ko`, module.data);
  const order = modules.map((module) => module.name);
  await Deno.writeTextFile(`${into}/order.json`, JSON.stringify(order));
}
