/**
 * Connections that nobody answers, on any topology.
 *
 * @module
 */
import { type Machine, transportCidsOf } from "./machine.ts";

/**
 * A CID of this machine's from which no connect() to the peer is ever answered: a socket that is
 * bound to it sends its request from the CID of its transport all the same, and the answer, a reset
 * or not, finds nobody there.
 *
 * @param known the CID by which the peer knows this machine, which is the transport's.
 * @throws {Error} where there is none: the feature `second-cid` is lacking.
 */
export function unansweredFrom(machine: Machine, known: number): number {
  const cid = transportCidsOf(machine.place()).find((own) => own !== known);
  if (cid === undefined) throw new Error(`this machine has no CID besides ${known}`);
  return cid;
}
