/**
 * Where a machine is among others: its own CIDs, and the transport by which it reaches another.
 * Cases about addresses know from it what the kernel must do.
 *
 * @module
 */
import {
  VMADDR_CID_ANY,
  VMADDR_CID_HOST,
  VMADDR_CID_HYPERVISOR,
  VMADDR_CID_LOCAL,
  VMADDR_FLAG_TO_HOST,
} from "../sys/constants.ts";
import { localCids, registeredTransports } from "../sys/transports.ts";
import type { Address } from "../sys/structs.ts";
import type { SocketType } from "../sys/socket.ts";
import { VsockSetting, vsockSysctl } from "../sys/sysctl.ts";

/** A CID that no machine of the lab has. */
export const FOREIGN_CID = 0xdead;

/** A machine, as its modules and /dev/vsock describe it. */
export interface Place {
  /** Whether it has the transport of VMADDR_CID_LOCAL. */
  readonly loopback: boolean;
  /** Whether it can be a host: vhost-vsock. */
  readonly host: boolean;
  /** Whether it has a guest's transport, be there a device or not. */
  readonly guest: boolean;
  /** Its CID as a guest; with several devices that of the default one. */
  readonly guestCid: number | undefined;
  /** Those of its other devices. */
  readonly moreCids?: readonly number[];
  /**
   * Whether what no guest of its own has is sought at its host: net.vsock.g2h_fallback; undefined
   * where there is no such choice.
   */
  readonly fallback: boolean | undefined;
}

/** What tells the place of a machine, and changes it. */
export interface Machine {
  /** Looks where it is now. */
  place(): Place;
  /** Sets net.vsock.g2h_fallback, until what it gives is disposed of. */
  withFallback(on: boolean): Disposable;
}

/** This machine. */
export const THIS_MACHINE: Machine = {
  place: readPlace,
  withFallback: (on) => new VsockSetting("g2h_fallback", on ? "1" : "0"),
};

/** The transports that lead from a guest to its host. */
const OF_GUESTS = ["virtio", "hvs", "vmci"] as const;

function readPlace(): Place {
  const transports = registeredTransports();
  const guest = OF_GUESTS.some((name) => transports.includes(name));
  const [cid = VMADDR_CID_ANY, ...moreCids] = localCids();
  const fallback = vsockSysctl("g2h_fallback");
  return {
    loopback: transports.includes("loopback"),
    host: transports.includes("vhost"),
    guest,
    guestCid: guest && cid > VMADDR_CID_HOST ? cid : undefined,
    moreCids,
    fallback: fallback === undefined ? undefined : fallback === "1",
  };
}

/** The CIDs of a machine. */
export function localCidsOf(place: Place): number[] {
  return [...transportCidsOf(place), ...place.moreCids ?? []];
}

/** A CID of each transport of a machine. */
export function transportCidsOf({ loopback, host, guestCid }: Place): number[] {
  return [
    ...loopback ? [VMADDR_CID_LOCAL] : [],
    ...host ? [VMADDR_CID_HOST] : [],
    ...guestCid === undefined ? [] : [guestCid],
  ];
}

/** A transport by what it leads to; undefined where there is none. */
export type Route = "loopback" | "to-host" | "to-guest" | undefined;

/** The transport that serves a destination which is no guest of this machine's. */
export function routeTo(place: Place, { cid, flags = 0 }: Pick<Address, "cid" | "flags">): Route {
  const { loopback, host, guest, guestCid, fallback } = place;
  const own = guest ? [guestCid, ...place.moreCids ?? []] : [VMADDR_CID_HOST];
  if (loopback && (cid === VMADDR_CID_LOCAL || own.includes(cid))) return "loopback";
  const toHost = cid <= VMADDR_CID_HOST || (flags & VMADDR_FLAG_TO_HOST) !== 0;
  // Before there was a choice, only who had no guests sought the CIDs of guests at its host.
  if (toHost || (guest && (fallback ?? !host))) return guest ? "to-host" : undefined;
  return host ? "to-guest" : undefined;
}

/** CIDs that lead to every transport that a machine has: the well-known ones, and a guest's. */
const WHEREVER: readonly number[] = [
  VMADDR_CID_HYPERVISOR,
  VMADDR_CID_LOCAL,
  VMADDR_CID_HOST,
  FOREIGN_CID,
];

/** A CID to which another transport leads than to the peer; undefined where there is none. */
export function cidElsewhere(place: Place, peerCid: number): number | undefined {
  const taken = routeTo(place, { cid: peerCid });
  if (taken === undefined) return undefined;
  return WHEREVER.find((cid) => ![taken, undefined].includes(routeTo(place, { cid })));
}

/** A CID to which no transport leads; undefined where there is none. */
export function cidNowhere(place: Place): number | undefined {
  return WHEREVER.find((cid) => routeTo(place, { cid }) === undefined);
}

/** The errors of connect(2) to a destination, by its route, where nobody listens there. */
export function errorsOfNobody(place: Place, type: SocketType, to: Address): readonly string[] {
  switch (routeTo(place, to)) {
    case "loopback":
      return ["ECONNRESET"];
    case "to-host":
      if (place.guestCid === undefined) return [type === "stream" ? "ENODEV" : "ESOCKTNOSUPPORT"];
      // A host drops what is for others; it may answer with a reset instead.
      return to.cid === VMADDR_CID_HOST ? ["ECONNRESET"] : ["ETIMEDOUT", "ECONNRESET"];
    case "to-guest":
      return [type === "stream" ? "ENODEV" : "ESOCKTNOSUPPORT"];
    case undefined:
      return ["ENODEV"];
  }
}
