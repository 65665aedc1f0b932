/**
 * The settings of a side: which sockets it uses, and what it knows about the other side.
 *
 * @module
 */
import type { Surroundings } from "../kit/environment.ts";
import { hybridFamily, hybridSockets } from "../sys/hybrid.ts";
import { type AddressFamily, unixStandIn, VSOCK } from "../sys/structs.ts";

/** The settings of a side. */
export interface SideSettings {
  /** Files with further cases. */
  readonly cases?: readonly string[] | undefined;
  /** Nothing else on this machine uses AF_VSOCK, so that leaks can be counted. */
  readonly exclusive?: boolean | undefined;
  /** The CID of the other side. */
  readonly peerCid: number;
  /** Use AF_UNIX instead of AF_VSOCK, under this name, to try the tool itself. */
  readonly standIn?: string | undefined;
  /** The Unix socket of a device in user space whose host this side is; then nothing is AF_VSOCK. */
  readonly hybrid?: string | undefined;
  /** The QMP socket of the guest's QEMU, if that runs on this machine. */
  readonly guestMonitor?: string | undefined;
}

/** Whether the sockets are AF_VSOCK's: then this machine's kernel is tested. */
export function isOfVsock({ standIn, hybrid }: SideSettings): boolean {
  return standIn === undefined && hybrid === undefined;
}

/** The address family to be used. */
export function familyOf({ standIn, hybrid }: SideSettings): AddressFamily {
  if (hybrid !== undefined) return hybridFamily(hybrid);
  return standIn === undefined ? VSOCK : unixStandIn(standIn);
}

/** The address family to be used, and what else differs on the Unix socket of a device. */
export function socketsOf(
  settings: SideSettings,
): Pick<Surroundings, "family" | "hybrid" | "socketClass"> {
  const { hybrid } = settings;
  const family = familyOf(settings);
  return hybrid === undefined ? { family } : { family, hybrid, socketClass: hybridSockets(hybrid) };
}
