/**
 * The plan of a run: which cases run in which direction.
 *
 * @module
 */
import type { CaseInfo } from "./case.ts";

/** Which end plays the server; on loopback both are the same machine. */
export type Direction = "host-server" | "guest-server" | "loopback";

/** The values of `--direction`. */
export const DIRECTION_CHOICES = ["host-server", "guest-server", "both"] as const;

/** A value of `--direction`. */
export type DirectionChoice = typeof DIRECTION_CHOICES[number];

/** How the two ends are connected. */
export type Topology =
  /** One machine with itself. */
  | "loopback"
  /** A host and its guest. */
  | "guest-host"
  /** The same, but the guest is a host, too: its kernel has all three kinds of local CID. */
  | "three-cids"
  /** A host and its guest, which has three vsock devices. */
  | "three-devices";

/** An entry of a plan. */
export interface Planned<C extends CaseInfo = CaseInfo> {
  /** The case to run. */
  readonly case: C;
  /** The direction, which says who accepts. */
  readonly direction: Direction;
}

/** The chosen directions that a topology has. */
export function directionsOf(topology: Topology, choice: DirectionChoice): Direction[] {
  if (topology === "loopback") return ["loopback"];
  return choice === "both" ? ["host-server", "guest-server"] : [choice];
}

/**
 * Makes the plan of a run: direction by direction, each in the order of the catalogue.
 */
export function planRun<C extends CaseInfo>(
  cases: readonly C[],
  directions: readonly Direction[],
): Planned<C>[] {
  return directions.flatMap((direction) => cases.map((info) => ({ case: info, direction })));
}
