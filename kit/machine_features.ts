/**
 * The features that concern a machine's transports and CIDs.
 *
 * @module
 */
import { AF_VSOCK } from "../sys/constants.ts";
import { registeredTransports } from "../sys/transports.ts";
import { cidElsewhere, cidNowhere, type Place, THIS_MACHINE, transportCidsOf } from "./machine.ts";
import type { FeatureOptions, Probe } from "./probe.ts";

/** A probe for AF_VSOCK only: the stand-in must not inspect the machine. */
export function ofVsock(given: "machine" | "vhostClass", probe: Probe): Probe {
  return (options) =>
    options.family.domain !== AF_VSOCK && options[given] === undefined
      ? `its sockets are ${options.family.name}`
      : probe(options);
}

/** A probe that a machine's transports and CIDs decide. */
function ofPlace(probe: (place: Place, options: FeatureOptions) => string | undefined): Probe {
  return ofVsock(
    "machine",
    (options) => probe((options.machine ?? THIS_MACHINE).place(), options),
  );
}

/** Transports that differ in routing and errors from what vsock(7) and virtio describe. */
const UNKNOWN: readonly string[] = ["vmci", "hvs"];

/** Why a machine lacks something; undefined if it does not. */
export const PLACE_PROBES = {
  "known-place": ({ family, machine }) => {
    if (machine !== undefined) return undefined;
    if (family.domain !== AF_VSOCK) return `its sockets are ${family.name}`;
    const others = registeredTransports().filter((name) => UNKNOWN.includes(name));
    return others.length === 0 ? undefined : `registered is ${others.join(", ")}`;
  },
  "second-cid": ofPlace((place) => {
    const cids = transportCidsOf(place);
    return cids.length > 1 ? undefined : `this machine has only CID ${cids.join() || "none"}`;
  }),
  "second-transport": ofPlace((place, { peerCid }) =>
    cidElsewhere(place, peerCid) === undefined
      ? `none leads elsewhere than to CID ${peerCid}`
      : undefined
  ),
  "cid-without-transport": ofPlace((place) =>
    cidNowhere(place) === undefined ? "a guest's transport leads everywhere" : undefined
  ),
  "loopback-cid": ofPlace(({ loopback }) => loopback ? undefined : "vsock_loopback is not loaded"),
  "g2h-fallback": ofPlace(({ fallback, guestCid }) => {
    if (fallback === undefined) return "there is no such sysctl";
    return guestCid === undefined ? "this machine is no guest" : undefined;
  }),
} as const satisfies Record<string, Probe>;
