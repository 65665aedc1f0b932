/**
 * Conventions shared by all parts of a lab: the VMs' roles, ports and CIDs, and the console lines
 * by which a boot is followed.
 *
 * @module
 */
import type { Topology } from "../core/plan.ts";
import type { Accelerator, ArchTraits } from "./arch.ts";

/** The role of a VM. */
export type VmRole = "loopback" | "host" | "guest";

/** A VM of a lab, as seen from outside. */
export interface LabVm {
  readonly name: VmRole;
  /** The file that its console is written to. */
  readonly console: string;
  /** The Unix socket of its shell. */
  readonly shell: string;
}

/** The VMs of a lab: the one that runs on this machine, then the guest in it, if there is one. */
export type LabVms = readonly [outer: LabVm, guest?: LabVm];

/** The TCP ports on 127.0.0.1 of a lab's two agents; on loopback both are in one VM. */
export type AgentPorts = Readonly<Record<"host" | "guest", number>>;

/** The VM of a topology that runs on this machine. */
export function outerRole(topology: Topology): OuterVm["role"] {
  return topology === "loopback" ? "loopback" : "host";
}

/** Whether that VM runs a guest. */
export function hasGuest(topology: Topology): boolean {
  return outerRole(topology) === "host";
}

/** The name of a VM in messages. */
export function vmTitle(role: VmRole): string {
  return role === "loopback" ? "loopback VM" : role;
}

/** The TCP port on which an agent listens in its VM. */
export const AGENT_PORT = 5201;

/**
 * On loopback, the port of the second agent; in a host, the port forwarded to its guest's agent.
 */
export const SECOND_PORT = 5202;

/**
 * In either VM, the port of the control channel between programs that use the kernel's protocol.
 */
export const CONTROL_PORT = 7000;

/** In a host, the port forwarded to its guest's {@linkcode CONTROL_PORT}. */
export const GUEST_CONTROL_PORT = 7001;

/** The address of the host in QEMU's user networking. */
export const HOST_ADDRESS = "10.0.2.2";

/** The CID of the guest in the lab. */
export const GUEST_CID = 3;

/** The CIDs of a guest with several devices, in their order on the bus. */
export const GUEST_CIDS: readonly number[] = [4, 3, 5];

/** In a host, the QMP socket of its guest's QEMU. */
export const GUEST_MONITOR = "/tmp/guest-monitor";

/** Console lines by which the lab follows a boot. */
export const MARKS = {
  /** Written when the modules are loaded and the agents are being started. */
  booted: "lab: booted",
  /** Written when the disk cannot be mounted. */
  noDisk: "lab: there is no disk",
  /** Written when the VM's agents listen. */
  listening: "lab: the agents listen",
  /** Written by the host when it starts its guest's QEMU. */
  guestStarted: "lab: starting the guest",
  /** Written when an agent has ended, after its last output. */
  agentEnded: "lab: an agent ended",
  /** Written by the host when its guest's QEMU has ended. */
  guestEnded: "lab: the guest ended",
  /** Written by the guest's QEMU when KVM fails. */
  guestStuck: "KVM internal error",
} as const;

/** Everything needed to start the outer VM. */
export interface OuterVm {
  readonly arch: ArchTraits;
  readonly role: Exclude<VmRole, "guest">;
  readonly accelerator: Accelerator;
  /** Further folders in which QEMU finds its firmware. */
  readonly firmware: readonly string[];
  readonly vmlinuz: string;
  readonly initrd: string;
  readonly disk: string;
  /** Its serial ports are its console, its guest's console, its shell and its guest's shell. */
  readonly vms: LabVms;
  /** The Unix socket of the QEMU monitor (QMP). */
  readonly monitor: string;
  readonly agents: AgentPorts;
}
