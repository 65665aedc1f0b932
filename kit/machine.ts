/**
 * A machine's CIDs and transports, and which transport it uses to reach a CID. Cases about
 * addresses derive from this what the kernel must do.
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

/** A CID that no machine in the lab has. */
export const FOREIGN_CID = 0xdead;

/** A machine, according to its modules and /dev/vsock. */
export interface Place {
  /** Whether it has the loopback transport, for VMADDR_CID_LOCAL. */
  readonly loopback: boolean;
  /** Whether it has a host's transport, vhost_vsock. */
  readonly host: boolean;
  /** Whether it has a guest's transport, with or without a device. */
  readonly guest: boolean;
  /** Its CID as a guest; with several devices, the default one's. */
  readonly guestCid: number | undefined;
  /** The CIDs of its other devices. */
  readonly moreCids?: readonly number[];
  /**
   * net.vsock.g2h_fallback: whether a CID that none of its guests has is routed to its host;
   * undefined if there is no such sysctl.
   */
  readonly fallback: boolean | undefined;
}

/** Reads and changes a machine's configuration. */
export interface Machine {
  /** The current configuration. */
  place(): Place;
  /** Sets net.vsock.g2h_fallback until the returned value is disposed of. */
  withFallback(on: boolean): Disposable;
}

/** This machine. */
export const THIS_MACHINE: Machine = {
  place: readPlace,
  withFallback: (on) => new VsockSetting("g2h_fallback", on ? "1" : "0"),
};

/** The transports from a guest to its host. */
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

/** One CID for each of a machine's transports. */
export function transportCidsOf({ loopback, host, guestCid }: Place): number[] {
  return [
    ...loopback ? [VMADDR_CID_LOCAL] : [],
    ...host ? [VMADDR_CID_HOST] : [],
    ...guestCid === undefined ? [] : [guestCid],
  ];
}

/** A kind of transport, by where it leads; undefined if there is none. */
export type Route = "loopback" | "to-host" | "to-guest" | undefined;

/** The transport for a destination that is not a guest of this machine. */
export function routeTo(place: Place, { cid, flags = 0 }: Pick<Address, "cid" | "flags">): Route {
  const { loopback, host, guest, guestCid, fallback } = place;
  const own = guest ? [guestCid, ...place.moreCids ?? []] : [VMADDR_CID_HOST];
  if (loopback && (cid === VMADDR_CID_LOCAL || own.includes(cid))) return "loopback";
  const toHost = cid <= VMADDR_CID_HOST || (flags & VMADDR_FLAG_TO_HOST) !== 0;
  // Before there was a choice, only a machine without guests routed such CIDs to its host.
  if (toHost || (guest && (fallback ?? !host))) return guest ? "to-host" : undefined;
  return host ? "to-guest" : undefined;
}

/** CIDs that cover every transport of a machine: the well-known ones, and a guest's. */
const WHEREVER: readonly number[] = [
  VMADDR_CID_HYPERVISOR,
  VMADDR_CID_LOCAL,
  VMADDR_CID_HOST,
  FOREIGN_CID,
];

/** A CID that another transport serves than the peer's; undefined if there is none. */
export function cidElsewhere(place: Place, peerCid: number): number | undefined {
  const taken = routeTo(place, { cid: peerCid });
  if (taken === undefined) return undefined;
  return WHEREVER.find((cid) => ![taken, undefined].includes(routeTo(place, { cid })));
}

/** A CID that no transport serves; undefined if there is none. */
export function cidNowhere(place: Place): number | undefined {
  return WHEREVER.find((cid) => routeTo(place, { cid }) === undefined);
}

/** The possible errors of connect(2) to a destination at which nobody listens, by its route. */
export function errorsOfNobody(place: Place, type: SocketType, to: Address): readonly string[] {
  switch (routeTo(place, to)) {
    case "loopback":
      return ["ECONNRESET"];
    case "to-host":
      if (place.guestCid === undefined) return [type === "stream" ? "ENODEV" : "ESOCKTNOSUPPORT"];
      // A host drops packets for other CIDs, or may answer with a reset.
      return to.cid === VMADDR_CID_HOST ? ["ECONNRESET"] : ["ETIMEDOUT", "ECONNRESET"];
    case "to-guest":
      return [type === "stream" ? "ENODEV" : "ESOCKTNOSUPPORT"];
    case undefined:
      return ["ENODEV"];
  }
}
