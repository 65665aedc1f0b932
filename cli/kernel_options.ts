/**
 * The options that every command has which boots VMs.
 *
 * @module
 */
import { type Command, Option } from "@commander-js/extra-typings";
import { InvalidArgumentError, type Option as CommanderOption } from "commander";
import { type Arch, ARCHES } from "../lab/arch.ts";
import { DEFAULT_KERNEL } from "../lab/kernel.ts";
import { BOOT_TIME } from "../lab/lab.ts";
import { secondsOption } from "./usage.ts";

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
    new Option("--refresh", "look for a newer kernel of that name than the cached one"),
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
