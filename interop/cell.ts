/**
 * One case, run by two programs of the kernel's protocol: vsock-conformance ("ours") or the
 * kernel's C program ("C") on either side.
 *
 * @module
 */
import type { Direction } from "../core/plan.ts";
import type { Cell } from "./output.ts";

/** The program that plays a side. */
export type Player = "ours" | "C";

/** The program that accepts, and the one that connects. */
export interface Pairing {
  readonly server: Player;
  readonly client: Player;
}

/** All four pairings. */
export const PAIRINGS: readonly Pairing[] = [
  { server: "ours", client: "ours" },
  { server: "ours", client: "C" },
  { server: "C", client: "ours" },
  { server: "C", client: "C" },
];

/** A case that is in the list of a C program. */
export interface InteropCase {
  /** The C program. */
  readonly program: string;
  /** The length of that program's list. */
  readonly listLength: number;
  /** Its position in that list. */
  readonly position: number;
  /** Its name there. */
  readonly name: string;
  /** The id of the ported case. */
  readonly id: string;
}

/** A cell of the table. */
export interface InteropCell extends Cell {
  readonly case: InteropCase;
  readonly pairing: Pairing;
  readonly direction: Direction;
  /** How long it took, in milliseconds. */
  readonly milliseconds?: number | undefined;
}
