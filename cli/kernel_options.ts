/**
 * The options that every command has which boots VMs.
 *
 * @module
 */
import type { Command } from "@commander-js/extra-typings";
import { DEFAULT_KERNEL } from "../lab/kernel.ts";
import { secondsOption } from "./usage.ts";

const VM_OPTIONS = ["kernel", "modules", "refresh", "qemu", "cold"];

/** Whether an option, as commander names its value, says what VMs are like. */
export function isOfVms(name: string): boolean {
  return VM_OPTIONS.includes(name);
}

/** Adds which kernel the VMs have, and how long the command may take. */
export function withKernelOptions<A extends unknown[], O extends Record<string, unknown>>(
  command: Command<A, O>,
) {
  return command
    .option(
      "--kernel <kernel>",
      "debian:<version>, debian:latest, debug, debug:<leak>, multi-device, or a vmlinuz",
      DEFAULT_KERNEL,
    )
    .option("--modules <folder>", "with a vmlinuz: where its modules are")
    .option("--refresh", "look for a newer kernel of that name than the cached one")
    .option("--qemu <program>", "a qemu-system-x86_64 of your own, for the VM and the guest in it")
    .option("--cold", "boot, and neither use nor save a snapshot")
    .addOption(wholeTimeout());
}

/** How long a command that boots VMs may take altogether. */
export function wholeTimeout() {
  return secondsOption("--timeout <seconds>", "give up on the whole command after that", 900_000);
}
