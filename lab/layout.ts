/**
 * What the parts of a lab agree on: the VMs' roles, ports and CIDs, and the console lines by which a
 * boot is followed.
 *
 * @module
 */
import type { Topology } from "../core/plan.ts";
import type { Accelerator, ArchTraits } from "./arch.ts";

/** What a VM is. */
export type VmRole = "loopback" | "host" | "guest";

/** A VM of a lab, for whoever works with it. */
export interface LabVm {
  readonly name: VmRole;
  /** The file that its console is written to. */
  readonly console: string;
  /** The Unix socket of its shell. */
  readonly shell: string;
}

/** The VMs of a lab: the one that runs on this machine, then the guest in it, if there is one. */
export type LabVms = readonly [outer: LabVm, guest?: LabVm];

/** TCP ports on 127.0.0.1 of a lab's two agents; on loopback both are in one VM. */
export type AgentPorts = Readonly<Record<"host" | "guest", number>>;

/** The VM of a topology that runs on this machine. */
export function outerRole(topology: Topology): OuterVm["role"] {
  return topology === "loopback" ? "loopback" : "host";
}

/** Whether a topology has a guest in that VM. */
export function hasGuest(topology: Topology): boolean {
  return outerRole(topology) === "host";
}

/** The name of a VM in messages. */
export function vmTitle(role: VmRole): string {
  return role === "loopback" ? "loopback VM" : role;
}

/** TCP ports inside a VM at which its agents listen. */
export const AGENT_PORT = 5201;

/** On loopback, the port of the second agent; in a host, the one that is its guest's. */
export const SECOND_PORT = 5202;

/** In either VM, the port of the control channel between two programs of the kernel's protocol. */
export const CONTROL_PORT = 7000;

/** In a host, the port that leads to its guest's {@linkcode CONTROL_PORT}. */
export const GUEST_CONTROL_PORT = 7001;

/** The address at which a guest reaches its host: that of QEMU's user networking. */
export const HOST_ADDRESS = "10.0.2.2";

/** The CID of the guest in the lab. */
export const GUEST_CID = 3;

/** The CIDs of a guest with several devices, in the order of their places on the bus. */
export const GUEST_CIDS: readonly number[] = [4, 3, 5];

/** In a host, the monitor (QMP) of its guest's QEMU. */
export const GUEST_MONITOR = "/tmp/guest-monitor";

/** Console lines by which the lab follows a boot. */
export const MARKS = {
  /** Written when the modules are in and the agents are being started. */
  booted: "lab: booted",
  /** Written when the disk cannot be mounted. */
  noDisk: "lab: there is no disk",
  /** Written when the VM's agents can be reached. */
  listening: "lab: the agents listen",
  /** Written by the host when it starts its guest's QEMU. */
  guestStarted: "lab: starting the guest",
  /** Written when an agent has ended, after its last output. */
  agentEnded: "lab: an agent ended",
  /** Written by the host when its guest's QEMU has ended. */
  guestEnded: "lab: the guest ended",
  /** Written by the guest's QEMU when KVM cannot go on. */
  guestStuck: "KVM internal error",
} as const;

/** What the outer VM is started with. */
export interface OuterVm {
  readonly arch: ArchTraits;
  readonly role: Exclude<VmRole, "guest">;
  readonly accelerator: Accelerator;
  /** Folders in which QEMU finds its firmware, where it does not know them itself. */
  readonly firmware: readonly string[];
  readonly vmlinuz: string;
  readonly initrd: string;
  readonly disk: string;
  /** Its serial ports are its console, its guest's console, its shell and its guest's shell. */
  readonly vms: LabVms;
  /** Unix socket of the QEMU monitor (QMP). */
  readonly monitor: string;
  readonly agents: AgentPorts;
}
