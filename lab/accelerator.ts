/**
 * Whether this machine can run VMs directly, or has to translate them.
 *
 * @module
 */
import type { Accelerator } from "./qemu.ts";
import { hasSafeThreads, type QemuProgram } from "./qemu_program.ts";

/** How VMs run on this machine, and why if they are translated. */
export interface AcceleratorChoice {
  readonly accelerator: Accelerator;
  readonly why: string;
}

/**
 * Chooses by the processor's flags, since a /dev/kvm that opens may still not boot anything, and
 * by whether /dev/kvm can be opened.
 */
export async function chooseAccelerator(qemu: QemuProgram): Promise<AcceleratorChoice> {
  const why = await whyNotKvm();
  if (why === undefined) return { accelerator: "kvm", why: "" };
  return { accelerator: hasSafeThreads(qemu) ? "tcg" : "tcg-single", why };
}

async function whyNotKvm(): Promise<string | undefined> {
  const cpuinfo = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  if (!hasVirtualization(cpuinfo)) return "this machine's processor shows neither vmx nor svm";
  try {
    (await Deno.open("/dev/kvm", { read: true, write: true })).close();
  } catch (error) {
    const reason = error instanceof Error ? error.name : String(error);
    return `/dev/kvm cannot be opened: ${reason}`;
  }
  return undefined;
}

/** Whether /proc/cpuinfo shows Intel's or AMD's virtualization. */
export function hasVirtualization(cpuinfo: string): boolean {
  return /^flags\s*:.*\b(vmx|svm)\b/m.test(cpuinfo);
}
