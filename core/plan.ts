/**
 * The plan of a run: which case runs in which direction.
 *
 * @module
 */
import type { CaseInfo } from "./case.ts";

/** Which end plays the server; on loopback both are the same machine. */
export type Direction = "host-server" | "guest-server" | "loopback";

/** What `--direction` takes. */
export const DIRECTION_CHOICES = ["host-server", "guest-server", "both"] as const;

/** A value of `--direction`. */
export type DirectionChoice = typeof DIRECTION_CHOICES[number];

/** How the two ends are connected. */
export type Topology =
  /** One machine with itself. */
  | "loopback"
  /** A host and its guest. */
  | "guest-host"
  /** The same, and the guest is a host, too: its kernel has all three kinds of local CID. */
  | "three-cids"
  /** A host and its guest, which has three vsock devices. */
  | "three-devices";

/** One thing to do. */
export interface Planned<C extends CaseInfo = CaseInfo> {
  /** The case to run. */
  readonly case: C;
  /** Who accepts. */
  readonly direction: Direction;
}

/** The directions that a topology has, of those chosen. */
export function directionsOf(topology: Topology, choice: DirectionChoice): Direction[] {
  if (topology === "loopback") return ["loopback"];
  return choice === "both" ? ["host-server", "guest-server"] : [choice];
}

/**
 * Lays out a run: direction by direction, each in the order of the catalogue.
 */
export function planRun<C extends CaseInfo>(
  cases: readonly C[],
  directions: readonly Direction[],
): Planned<C>[] {
  return directions.flatMap((direction) => cases.map((info) => ({ case: info, direction })));
}
