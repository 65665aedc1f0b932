/**
 * What a lab is made of: found on this machine, fetched, or made.
 *
 * @module
 */
import { chooseAccelerator } from "./accelerator.ts";
import { findBundle } from "./bundle.ts";
import { findDisk } from "./disk.ts";
import { type ImageParts, initramfs } from "./image.ts";
import { findKernel, requireChoice } from "./kernel.ts";
import type { LabOptions } from "./lab.ts";
import type { Progress } from "./progress.ts";
import type { Accelerator, OuterVm } from "./qemu.ts";
import type { QemuProgram } from "./qemu_program.ts";
import { requireTools } from "./tools.ts";

/** What a lab is made of. */
export interface Parts extends ImageParts {
  readonly qemu: QemuProgram;
  readonly role: OuterVm["role"];
  readonly disk: string;
  readonly initrd: Uint8Array<ArrayBuffer>;
  readonly accelerator: Accelerator;
}

/** Finds, fetches or makes all that a lab is made of. */
export async function prepare(options: LabOptions, progress: Progress): Promise<Parts> {
  // What was written wrongly is said before anything is fetched.
  await requireChoice(options.kernel);
  const tools = await requireTools(progress, options.qemu);
  const { qemu, busybox } = tools;
  const kernel = await findKernel(options.kernel, progress);
  const disk = await findDisk(tools, progress);
  const bundle = await findBundle(progress);
  const { accelerator, why } = await chooseAccelerator(qemu);
  if (accelerator !== "kvm") progress.say(`VMs are translated (TCG), not run directly: ${why}`);
  if (accelerator === "tcg-single") progress.say("QEMU 8.1 or newer would use more processors");
  const role = options.topology === "loopback" ? "loopback" : "host";
  const initrd = await initramfs(role, { kernel, busybox, bundle }, options);
  return { qemu, busybox, role, kernel, disk, bundle, initrd, accelerator };
}
