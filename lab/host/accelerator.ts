/**
 * Whether this machine can run VMs of its own architecture directly, or has to emulate them.
 *
 * @module
 */

/** Whether KVM works on this machine, and why if it does not. */
export interface AcceleratorChoice {
  readonly works: boolean;
  readonly why: string;
}

/**
 * Decides by whether /dev/kvm can be opened, and by the processor's flags, since nothing may boot
 * even if it can be opened.
 */
export async function chooseAccelerator(): Promise<AcceleratorChoice> {
  const why = await whyNotKvm();
  return { works: why === undefined, why: why ?? "" };
}

async function whyNotKvm(): Promise<string | undefined> {
  // arm64's /proc/cpuinfo does not show EL2, but there /dev/kvm exists only if KVM works.
  if (Deno.build.arch === "x86_64") {
    const cpuinfo = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
    if (!hasVirtualization(cpuinfo)) return "this machine's processor has neither vmx nor svm";
  }
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
