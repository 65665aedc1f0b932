/**
 * The settings of a side: which sockets it uses, and what it knows about the other side.
 *
 * @module
 */
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
  /** The QMP socket of the guest's QEMU, if that runs on this machine. */
  readonly guestMonitor?: string | undefined;
}

/** The address family to be used. */
export function familyOf({ standIn }: SideSettings): AddressFamily {
  return standIn === undefined ? VSOCK : unixStandIn(standIn);
}
