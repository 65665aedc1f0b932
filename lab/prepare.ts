/**
 * Prepares the parts of a lab: finds them in the cache, fetches them, or makes them.
 *
 * @module
 */
import { type AcceleratorChoice, chooseAccelerator } from "./host/accelerator.ts";
import { type Accelerator, type Arch, type ArchTraits, archTraits, ownArch } from "./arch.ts";
import { findBundle } from "./image/bundle.ts";
import { denoFor } from "./host/deno_program.ts";
import { findDisk } from "./image/disk.ts";
import { LabUsageError } from "./error.ts";
import { initramfs } from "./image/initramfs.ts";
import { findKernel, kernelFileArch, ownKernel, requireChoice } from "./kernel/kernel.ts";
import { requireConfig } from "./kernel/own.ts";
import type { Progress } from "./progress.ts";
import { hasSafeThreads, qemuAt, type QemuProgram } from "./host/qemu.ts";
import { vmTools } from "./host/vm_tools.ts";
import type { LabOptions, Parts } from "./types.ts";
import { hasGuest, outerRole, type OuterVm } from "./layout.ts";

/** The architecture that is emulated most reliably, see docs/reliability.md. */
const EMULATED_PAIR: Arch = "arm64";

/** The architecture of a lab's VMs, determined without fetching anything. */
export async function archOfLab(options: LabOptions): Promise<ArchTraits> {
  await requireChoice(options.kernel);
  return archTraits(await archOf(options, await chooseAccelerator()));
}

/** Finds, fetches or makes all parts of a lab. */
export async function prepare(options: LabOptions, progress: Progress): Promise<Parts> {
  // Wrong usage is reported before anything is fetched.
  await requireChoice(options.kernel);
  const named = options.qemu === undefined ? undefined : await qemuAt(options.qemu, progress.stop);
  const role = outerRole(options.topology);
  const kvm = await chooseAccelerator();
  const arch = archTraits(await archOf(options, kvm));
  if (named !== undefined) requireSuitable(named, arch, role, kvm);
  const own = await ownKernel(options.kernel);
  const wanted = { arch, hasGuest: hasGuest(options.topology) };
  if (own !== undefined) await requireConfig(options.kernel.kernel, own, wanted);
  const [tools, deno, bundle, kernel] = await allOf(
    vmTools(arch, named !== undefined, progress),
    denoFor(arch, progress),
    findBundle(progress, options.cases),
    findKernel(options.kernel, arch, progress, named !== undefined),
  );
  const qemu = named ?? await qemuAt(tools.qemu ?? "", progress.stop);
  const guestQemu = arch === ownArch() ? named : undefined;
  if (named !== undefined && guestQemu === undefined && role === "host") {
    progress.log(`the guest's QEMU is Debian's: ${named.path} does not run on ${arch.name}`);
  }
  const disk = await findDisk({ arch, tools, deno, guestQemu }, progress);
  const accelerator = acceleratorOf(arch, qemu, kvm);
  if (accelerator !== "kvm") {
    const why = arch === ownArch() ? kvm.why : `${arch.name} is not this machine's architecture`;
    progress.log(`the VM is emulated (${arch.name}, TCG), without KVM: ${why}`);
  }
  if (accelerator === "tcg-single") progress.log("QEMU 8.1 or newer would use more processors");
  const image = { arch, kernel, busybox: tools.busybox, bundle };
  const initrd = await initramfs(role, image, options);
  const firmware = named === undefined ? tools.firmware : [];
  return { ...image, qemu, firmware, role, disk, initrd, accelerator };
}

/** Like Promise.all(), but if one promise is rejected, it still waits for the others to settle. */
async function allOf<T extends readonly unknown[]>(
  ...promises: { readonly [K in keyof T]: Promise<T[K]> }
): Promise<T> {
  const settled = await Promise.allSettled(promises);
  const failed = settled.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
  return await Promise.all(promises) as unknown as T;
}

/** The architecture of the VMs: the one asked for, the kernel's, or the one that works best. */
export async function archOf(
  { arch, kernel, qemu, topology }: LabOptions,
  kvm: AcceleratorChoice,
): Promise<Arch> {
  const ofKernel = await kernelFileArch(kernel);
  if (arch !== undefined) {
    if (ofKernel !== undefined && ofKernel !== arch) {
      throw new LabUsageError(`${kernel.kernel} is a kernel for ${ofKernel}, not for ${arch}`);
    }
    return arch;
  }
  if (ofKernel !== undefined) return ofKernel;
  const own = ownArch().name;
  // A QEMU given by the user is assumed to be for this machine's architecture.
  if (qemu !== undefined || kvm.works) return own;
  return hasGuest(topology) ? EMULATED_PAIR : own;
}

function acceleratorOf(
  arch: ArchTraits,
  qemu: QemuProgram,
  kvm: AcceleratorChoice,
): Accelerator {
  if (arch === ownArch() && kvm.works) return "kvm";
  return hasSafeThreads(qemu) ? "tcg" : "tcg-single";
}

/** @throws {LabUsageError} if a QEMU is known not to boot such a lab. */
export function requireSuitable(
  qemu: QemuProgram,
  arch: ArchTraits,
  role: OuterVm["role"],
  kvm: AcceleratorChoice,
): void {
  if (arch.name !== "x86_64" || role !== "host" || kvm.works || hasSafeThreads(qemu)) return;
  throw new LabUsageError(
    `QEMU ${qemu.version.join(".")} (${qemu.path}) does not boot an emulated x86-64 guest in a ` +
      "host: in tests, all of 16 guests stalled. Leave --qemu out, or give QEMU 8.1 or newer",
  );
}
