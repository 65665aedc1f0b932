/**
 * The options of every command that boots VMs.
 *
 * @module
 */
import { optionOf } from "./value.ts";
import { hasGuest } from "../../lab/layout.ts";
import { type Command, Option } from "commander";
import { IMAGE_HEAD, kernelImage } from "../../core/kernel_image.ts";
import { reasonOf, UsageError } from "../../core/error.ts";
import { type Arch, ARCHES } from "../../lab/arch.ts";
import { DEFAULT_KERNEL, requireChoice } from "../../lab/kernel/kernel.ts";
import { isFolder } from "../../lab/kernel/tree.ts";
import { BOOT_TIME } from "../../lab/lab.ts";
import type { CaseFileOptions } from "./cases.ts";
import { secondsOption } from "./parse.ts";
import type { Topology } from "../../core/plan.ts";
import { archOfLab } from "../../lab/prepare.ts";

const VM_OPTIONS = ["kernel", "modules", "refresh", "arch", "qemu", "cold", "bootTimeout"];

/** Whether an option, by the name that commander gives its value, is one of VMs. */
export function isOfVms(name: string): boolean {
  return VM_OPTIONS.includes(name);
}

/** Adds which kernel and machine the VMs have, and how long the command may take. */
export function withKernelOptions(command: Command): Command {
  return command
    .addOption(
      optionOf(
        "file",
        "--kernel <kernel>",
        "debian:<version>, debug[:<leak>], multi-device, faults:<fault>, running, a " +
          "vmlinuz, or a kernel's tree that was built",
      ).default(DEFAULT_KERNEL),
    )
    .addOption(optionOf("folder", "--modules <folder>", "the modules of a vmlinuz file"))
    .option("--refresh", "look for a newer kernel than the cached one")
    .addOption(archOption())
    .addOption(
      optionOf("file", "--qemu <program>", "your own QEMU, for the VM and the guest in it"),
    )
    .option("--cold", "boot; neither use nor save a snapshot")
    .addOption(secondsOption("--boot-timeout <seconds>", "deadline of a boot", BOOT_TIME))
    .addOption(wholeTimeout());
}

/** Which architecture VMs have. */
export function archOption(): Option {
  return new Option("--arch <arch>", "default: own; emulated pairs: arm64")
    .choices(ARCHES);
}

/** How long a command that boots VMs may take altogether. */
export function wholeTimeout(): Option {
  return secondsOption("--timeout <seconds>", "deadline of the whole command", 900_000);
}

/** Which VMs options ask for. */
interface VmChoice {
  readonly kernel: string;
  readonly modules?: string | undefined;
  readonly refresh?: boolean | undefined;
  readonly qemu?: string | undefined;
}

/** Kernels with a name; all others are files. */
const NAMED = /^(debian|debug|multi-device|faults|running)(:|$)/;

/**
 * Checks what can be checked of the VMs before anything is fetched or booted.
 *
 * @throws {UsageError} or {@linkcode LabUsageError} where there can be no such VMs, and says why.
 */
export async function requireVms(choice: VmChoice): Promise<void> {
  const { kernel, qemu } = choice;
  await requireChoice(choice);
  if (!NAMED.test(kernel) && !await isFolder(kernel)) await requireImage(kernel);
  if (qemu !== undefined) await requireProgram(qemu);
}

/** @throws {UsageError} if a file is not a kernel. */
async function requireImage(path: string): Promise<void> {
  const head = new Uint8Array(IMAGE_HEAD);
  try {
    using file = await Deno.open(path);
    for (let at = 0; at < head.length;) at += await file.read(head.subarray(at)) ?? head.length;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new UsageError(`Cannot read the kernel ${path}: ${reasonOf(error)}`);
  }
  if (kernelImage(head) !== undefined) return;
  throw new UsageError(
    `Cannot boot ${path}: it is not a kernel: neither a bzImage nor an arm64 Image nor an ELF file`,
  );
}

/** @throws {UsageError} if there is no such program. */
async function requireProgram(path: string): Promise<void> {
  try {
    const { isFile, mode } = await Deno.stat(path);
    if (isFile && ((mode ?? 0) & 0o111) !== 0) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new UsageError(`There is no QEMU at ${path}: ${reasonOf(error)}`);
  }
  throw new UsageError(`Cannot run ${path}: it is not a program; give a qemu-system-x86_64`);
}

/** What every command that boots a lab can be told. */
export interface BootOptions extends CaseFileOptions {
  readonly topology: Topology;
  readonly kernel: string;
  readonly modules?: string | undefined;
  readonly refresh?: boolean | undefined;
  readonly arch?: Arch | undefined;
  readonly qemu?: string | undefined;
  readonly cold?: boolean | undefined;
  /** In milliseconds. */
  readonly bootTimeout: number;
  /** For the whole command, in milliseconds. */
  readonly timeout: number;
}

/** A lab's options as the lab takes them. */
export function labOptions(
  { topology, kernel, modules, refresh, arch, qemu, cold, bootTimeout, cases }: Omit<
    BootOptions,
    "timeout"
  >,
) {
  return {
    topology,
    kernel: { kernel, modules, refresh },
    arch,
    qemu,
    cold,
    bootTime: bootTimeout,
    cases,
  };
}

/**
 * As {@linkcode labOptions}, for a run of minutes: an x86-64 host with a guest is booted, since one
 * restored under TCG loses its guest sooner.
 */
export async function longRunOptions(options: Omit<BootOptions, "timeout">) {
  const plain = labOptions(options);
  const arch = await archOfLab(plain);
  const boots = hasGuest(options.topology) && arch.name === "x86_64";
  return { ...plain, arch: arch.name, cold: boots || plain.cold };
}
