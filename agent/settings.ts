/**
 * Which sockets a side uses, and what it knows of the other one.
 *
 * @module
 */
import { type AddressFamily, unixStandIn, VSOCK } from "../sys/structs.ts";

/** Which sockets this side uses. */
export interface SideSettings {
  /** Files of cases besides the catalogue's. */
  readonly cases?: readonly string[] | undefined;
  /** Nothing else goes on on this machine: what its kernel holds is the cases' doing. */
  readonly exclusive?: boolean | undefined;
  /** The CID of the other side. */
  readonly peerCid: number;
  /** AF_UNIX in AF_VSOCK's place, under this name: for trying the tool itself. */
  readonly standIn?: string | undefined;
  /** The Unix socket of the monitor (QMP) of the guest's QEMU, where that is on this machine. */
  readonly guestMonitor?: string | undefined;
}

/** The family that the settings choose. */
export function familyOf({ standIn }: SideSettings): AddressFamily {
  return standIn === undefined ? VSOCK : unixStandIn(standIn);
}
