/**
 * Types of a lab: its options, its parts, and its address.
 *
 * @module
 */
import type { Topology } from "../core/plan.ts";
import type { CpioEntry } from "./image/cpio.ts";
import type { KernelChoice } from "./kernel/kernel.ts";
import type { Accelerator, Arch, ArchTraits } from "./arch.ts";
import type { QemuProgram } from "./host/qemu.ts";
import type { AgentPorts, LabVm, LabVms, OuterVm } from "./layout.ts";
import type { Kernel } from "./kernel/kept.ts";

/** Which lab to start. */
export interface LabOptions {
  readonly topology: Topology;
  readonly kernel: KernelChoice;
  /** The architecture of its VMs; by default, the one that boots best on this machine. */
  readonly arch?: Arch | undefined;
  /** The path of a QEMU, instead of Debian's. */
  readonly qemu?: string | undefined;
  /** Further files for the VMs. */
  readonly files?: readonly CpioEntry[];
  /** Files with further cases for its agents. */
  readonly cases?: readonly string[] | undefined;
  /** How long a boot may take, in milliseconds. */
  readonly bootTime?: number | undefined;
  /** Boot without using or saving a snapshot. */
  readonly cold?: boolean | undefined;
}

/** How to reach a running lab; plain data, which can be stored in a file. */
export interface LabAddress {
  readonly topology: Topology;
  readonly kernel: string;
  readonly arch: Arch;
  /** How its processors are provided. */
  readonly accelerator: Accelerator;
  /** The first line of QEMU's --version. */
  readonly qemu: string;
  /** The command that started QEMU. */
  readonly command: readonly string[];
  readonly pid: number;
  /** The folder with its sockets. */
  readonly folder: string;
  readonly vms: LabVms;
  readonly agents: AgentPorts;
}

/** The address of a lab that may not run yet. */
export type LabPlace = Omit<LabAddress, "pid" | "command">;

/** The VMs of a lab as a list. */
export function vmsOf({ vms: [outer, guest] }: Pick<LabAddress, "vms">): readonly LabVm[] {
  return guest === undefined ? [outer] : [outer, guest];
}

/** The console files of a lab. */
export function consolesOf(lab: Pick<LabAddress, "vms">): readonly string[] {
  return vmsOf(lab).map((vm) => vm.console);
}

/** The Unix socket of a VM's monitor. */
export function monitorOf({ folder }: Pick<LabAddress, "folder">): string {
  return `${folder}/monitor`;
}

/** The parts of a lab. */
export interface Parts extends ImageParts {
  readonly qemu: QemuProgram;
  /** Further folders in which this QEMU finds its firmware. */
  readonly firmware: readonly string[];
  readonly role: OuterVm["role"];
  readonly disk: string;
  readonly initrd: Uint8Array<ArrayBuffer>;
  readonly accelerator: Accelerator;
}

/** The parts of an initramfs. */
export interface ImageParts {
  readonly arch: ArchTraits;
  readonly kernel: Kernel;
  /** The path of a static busybox. */
  readonly busybox: string;
  /** The tool as one file. */
  readonly bundle: Uint8Array;
}
