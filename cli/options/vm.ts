/**
 * The options that every command has which boots VMs.
 *
 * @module
 */
import { type Command, Option } from "@commander-js/extra-typings";
import { InvalidArgumentError, type Option as CommanderOption } from "commander";
import { IMAGE_HEAD, kernelImage } from "../../core/kernel_image.ts";
import { reasonOf, UsageError } from "../../core/error.ts";
import { type Arch, ARCHES } from "../../lab/arch.ts";
import { DEFAULT_KERNEL, requireChoice } from "../../lab/kernel/kernel.ts";
import { BOOT_TIME } from "../../lab/open.ts";
import type { CaseFileOptions } from "./cases.ts";
import { secondsOption } from "./parse.ts";
import type { Topology } from "../../core/plan.ts";
import { archOfLab } from "../../lab/prepare.ts";

const VM_OPTIONS = ["kernel", "modules", "refresh", "arch", "qemu", "cold", "bootTimeout"];

/** Whether an option, as commander names its value, says what VMs are like. */
export function isOfVms(name: string): boolean {
  return VM_OPTIONS.includes(name);
}

/** The values of these options. */
export type VmFlags = {
  readonly kernel: string;
  readonly modules?: string;
  readonly refresh?: true;
  readonly arch?: Arch;
  readonly qemu?: string;
  readonly cold?: true;
  /** In milliseconds. */
  readonly bootTimeout: number;
  /** In milliseconds. */
  readonly timeout: number;
};

/** Adds which kernel and machine the VMs have, and how long the command may take. */
export function withKernelOptions<A extends unknown[], O extends Record<string, unknown>>(
  command: Command<A, O>,
): Command<A, O & VmFlags> {
  const options: readonly CommanderOption[] = [
    new Option(
      "--kernel <kernel>",
      "debian:<version>, debian:latest, debug, debug:<leak>, multi-device, or a vmlinuz",
    ).default(DEFAULT_KERNEL),
    new Option("--modules <folder>", "with a vmlinuz: where its modules are"),
    new Option("--refresh", "look for a newer kernel than the cached one"),
    archOption(),
    new Option("--qemu <program>", "a QEMU of your own, for the VM and the guest in it"),
    new Option("--cold", "boot, and neither use nor save a snapshot"),
    secondsOption("--boot-timeout <seconds>", "how long a boot may take", BOOT_TIME),
    wholeTimeout(),
  ];
  // Inferred option by option, the types of the commands grow beyond what the compiler can compare.
  for (const option of options) command.addOption(option as Option);
  return command as unknown as Command<A, O & VmFlags>;
}

/** Which architecture VMs have. */
export function archOption() {
  const fallback = "default: the machine's own; emulated pairs: arm64";
  return new Option("--arch <arch>", `${ARCHES.join(" or ")} (${fallback})`).argParser(oneArch);
}

function oneArch(text: string): Arch {
  const arch = ARCHES.find((name) => name === text);
  if (arch === undefined) throw new InvalidArgumentError(`Give ${ARCHES.join(" or ")}.`);
  return arch;
}

/** How long a command that boots VMs may take altogether. */
export function wholeTimeout() {
  return secondsOption("--timeout <seconds>", "give up on the whole command after that", 900_000);
}

/** What VMs are to be like, as options say it. */
interface VmChoice {
  readonly kernel: string;
  readonly modules?: string | undefined;
  readonly refresh?: boolean | undefined;
  readonly qemu?: string | undefined;
}

/** Kernels that have a name; all others are files. */
const NAMED = /^(debian|debug|multi-device)(:|$)/;

/**
 * Looks whether there may be such VMs, before anything is fetched or booted.
 *
 * @throws {UsageError} or {@linkcode LabUsageError} where there can be none, and says why.
 */
export async function requireVms(choice: VmChoice): Promise<void> {
  const { kernel, qemu } = choice;
  await requireChoice(choice);
  if (!NAMED.test(kernel)) await requireImage(kernel);
  if (qemu !== undefined) await requireProgram(qemu);
}

/** @throws {UsageError} where a file is no kernel. */
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
    `Cannot boot ${path}: it is no kernel, neither a bzImage nor an arm64 Image nor an ELF file`,
  );
}

/** @throws {UsageError} where there is no program. */
async function requireProgram(path: string): Promise<void> {
  try {
    const { isFile, mode } = await Deno.stat(path);
    if (isFile && ((mode ?? 0) & 0o111) !== 0) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new UsageError(`There is no QEMU at ${path}: ${reasonOf(error)}`);
  }
  throw new UsageError(`Cannot run ${path}: it is no program; give a qemu-system-x86_64`);
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
 * As {@linkcode labOptions}, for a run of minutes: an x86-64 host with a guest boots. One that QEMU's
 * TCG restored loses its guest sooner.
 */
export async function longRunOptions(options: Omit<BootOptions, "timeout">) {
  const plain = labOptions(options);
  const arch = await archOfLab(plain);
  const boots = options.topology !== "loopback" && arch.name === "x86_64";
  return { ...plain, arch: arch.name, cold: boots || plain.cold };
}
