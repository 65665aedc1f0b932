/**
 * What a lab is asked for, what it is made of, and where it can be reached.
 *
 * @module
 */
import type { Topology } from "../core/plan.ts";
import type { CpioEntry } from "./image/cpio.ts";
import type { KernelChoice } from "./kernel/kernel.ts";
import type { Accelerator, Arch, ArchTraits } from "./arch.ts";
import type { QemuProgram } from "./host/qemu.ts";
import type { OuterVm } from "./layout.ts";
import type { Kernel } from "./kernel/kept.ts";

/** What lab to make. */
export interface LabOptions {
  readonly topology: Topology;
  readonly kernel: KernelChoice;
  /** The architecture of its VMs; without, the one that boots best on this machine. */
  readonly arch?: Arch | undefined;
  /** The path of a QEMU of the user's own. */
  readonly qemu?: string | undefined;
  /** Files to put into the VM besides the lab's own. */
  readonly files?: readonly CpioEntry[];
  /** Files of cases that its agents have besides the catalogue's. */
  readonly cases?: readonly string[] | undefined;
  /** How long a boot may take, in milliseconds. */
  readonly bootTime?: number | undefined;
  /** Boot, and neither use a snapshot nor save one. */
  readonly cold?: boolean | undefined;
}

/** Where a running lab can be reached; plain data, so that it can be kept in a file. */
export interface LabAddress {
  readonly topology: Topology;
  readonly kernel: string;
  readonly arch: Arch;
  /** How its processors come about. */
  readonly accelerator: Accelerator;
  /** Which QEMU it is: the first line of its --version. */
  readonly qemu: string;
  /** How it was started. */
  readonly command: readonly string[];
  readonly pid: number;
  /** The folder of its sockets. */
  readonly folder: string;
  /** TCP ports on 127.0.0.1 of its two agents: host and guest, or both loopback. */
  readonly ports: readonly [number, number];
  /** Unix sockets of its shells: host's (or loopback's) and guest's. */
  readonly shells: readonly [string, string];
  readonly consoles: readonly [string, string];
}

/** Where a VM can be reached, before it runs. */
export type Place = Omit<LabAddress, "pid" | "command">;

/** The Unix socket of a VM's monitor. */
export function monitorOf({ folder }: Pick<LabAddress, "folder">): string {
  return `${folder}/monitor`;
}

/** What a lab is made of. */
export interface Parts extends ImageParts {
  readonly qemu: QemuProgram;
  /** Folders of firmware that this QEMU does not know itself. */
  readonly firmware: readonly string[];
  readonly role: OuterVm["role"];
  readonly disk: string;
  readonly initrd: Uint8Array<ArrayBuffer>;
  readonly accelerator: Accelerator;
}

/** What an image is made of. */
export interface ImageParts {
  readonly arch: ArchTraits;
  readonly kernel: Kernel;
  /** The path of a static busybox. */
  readonly busybox: string;
  /** The tool as one file. */
  readonly bundle: Uint8Array;
}
