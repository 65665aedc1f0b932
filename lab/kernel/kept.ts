/**
 * A kernel in a folder of the cache: its vmlinuz, and the modules that a lab needs.
 *
 * @module
 */
import { indexModules, type Module, readModules } from "./modules.ts";

/** A kernel that a VM can boot. */
export interface Kernel {
  /** How the user named it. */
  readonly name: string;
  readonly vmlinuz: string;
  /** In an order in which they can be loaded. */
  readonly modules: readonly Module[];
  /** What all VMs but a host load instead, where that differs. */
  readonly guestModules?: readonly Module[];
}

/** What the VMs of the lab need beyond the core kernel; a kernel may have any of it built in. */
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

/** A kernel that is kept in a folder of the cache: vmlinuz, modules, and their order. */
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

/** Keeps those of the modules below a folder that a lab needs, and the order in which they load. */
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
