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
import { DEFAULT_KERNEL, ownKernel, requireChoice } from "../../lab/kernel/kernel.ts";
import { BOOT_TIME } from "../../lab/lab.ts";
import type { CaseFileOptions } from "./cases.ts";
import { secondsOption } from "./parse.ts";
import type { Topology } from "../../core/plan.ts";
import { archOfLab } from "../../lab/prepare.ts";

/** The topologies of a lab. */
export const TOPOLOGIES: readonly Topology[] = [
  "guest-host",
  "loopback",
  "three-cids",
  "three-devices",
];

const VM_OPTIONS = ["kernel", "modules", "refresh", "arch", "qemu", "cold", "bootTimeout"];

/** Whether an option, by commander's name, is about VMs. */
export function isOfVms(name: string): boolean {
  return VM_OPTIONS.includes(name);
}

/** Adds options for the VMs' kernel and machine, and for the time of the whole command. */
export function withKernelOptions(command: Command): Command {
  return command
    .addOption(
      optionOf(
        "file",
        "--kernel <kernel>",
        "debian:<version>, debug[:<leak>], multi-device, faults:<fault>, running, file, tree",
      ).default(DEFAULT_KERNEL),
    )
    .addOption(optionOf("folder", "--modules <folder>", "the modules of a vmlinuz file"))
    .option("--refresh", "look for a newer kernel than the cached one")
    .addOption(archOption())
    .addOption(
      optionOf("file", "--qemu <program>", "your own QEMU, for the VM and the guest in it"),
    )
    .option("--cold", "boot without using or saving a snapshot")
    .addOption(secondsOption("--boot-timeout <seconds>", "deadline of a boot", BOOT_TIME))
    .addOption(wholeTimeout());
}

/** The option `--arch`. */
export function archOption(): Option {
  return new Option("--arch <arch>", "default: own; emulated pairs: arm64")
    .choices(ARCHES);
}

/** The option `--timeout` of commands that boot VMs. */
export function wholeTimeout(): Option {
  return secondsOption("--timeout <seconds>", "deadline of the whole command", 900_000);
}

/** The VMs that options ask for. */
interface VmChoice {
  readonly kernel: string;
  readonly modules?: string | undefined;
  readonly refresh?: boolean | undefined;
  readonly qemu?: string | undefined;
}

/**
 * Checks the options for VMs, as far as possible before anything is fetched or booted.
 *
 * @throws {UsageError} or {@linkcode LabUsageError} if there cannot be such VMs.
 */
export async function requireVms(choice: VmChoice): Promise<void> {
  const { kernel, qemu } = choice;
  await requireChoice(choice);
  if ((await ownKernel(choice))?.image === kernel) await requireImage(kernel);
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

/** Options of every command that boots a lab. */
export interface BootOptions extends CaseFileOptions {
  readonly topology: Topology;
  readonly kernel: string;
  readonly modules?: string | undefined;
  readonly refresh?: boolean | undefined;
  readonly arch?: Arch | undefined;
  readonly qemu?: string | undefined;
  readonly cold?: boolean | undefined;
  /** The deadline of a boot, in milliseconds. */
  readonly bootTimeout: number;
  /** The deadline of the whole command, in milliseconds. */
  readonly timeout: number;
}

/** Converts options of a command to those of the lab. */
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
 * Like {@linkcode labOptions}, for a run that takes minutes: an x86-64 host with a guest is booted,
 * since under TCG one from a snapshot loses its guest sooner.
 */
export async function longRunOptions(options: Omit<BootOptions, "timeout">) {
  const plain = labOptions(options);
  const arch = await archOfLab(plain);
  const boots = hasGuest(options.topology) && arch.name === "x86_64";
  return { ...plain, arch: arch.name, cold: boots || plain.cold };
}
