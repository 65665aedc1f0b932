/**
 * Connections that are never answered, on any topology.
 *
 * @module
 */
import { type Machine, transportCidsOf } from "./machine.ts";

/**
 * A local CID from which no connect() to the peer is ever answered: a socket bound to it sends its
 * request from the CID of the transport, so the answer does not match the socket.
 *
 * @param known the CID by which the peer knows this machine, which is the transport's.
 * @throws {Error} if there is none, because the feature `second-cid` is missing.
 */
export function unansweredFrom(machine: Machine, known: number): number {
  const cid = transportCidsOf(machine.place()).find((own) => own !== known);
  if (cid === undefined) throw new Error(`this machine has no CID besides ${known}`);
  return cid;
}
