/**
 * Which deviations are taken where a model is used, and how a connection is told that the kernel has
 * reset for no good reason.
 *
 * @module
 */
import { isKernelIn } from "../core/baseline.ts";
import type { CallAnswer, SocketCall } from "../core/socket_call.ts";
import { DEVIATION_IDS, type DeviationId, DEVIATIONS } from "./deviations.ts";
import type { Outcome } from "./outcome.ts";
import type { ModelSocket } from "./state.ts";

/** Which deviations are taken, and how often they were. */
export class Excuses {
  readonly counts = new Map<DeviationId, number>();
  readonly #known: ReadonlySet<DeviationId>;

  /** @param known those that are taken. */
  constructor(known: Iterable<DeviationId>) {
    this.#known = new Set(known);
  }

  /** Those that kernels are known for, by their `uname -r`. */
  static of(kernels: readonly string[]): Excuses {
    return new Excuses(
      DEVIATION_IDS.filter((id) =>
        kernels.some((release) => isKernelIn(release, DEVIATIONS[id].kernels))
      ),
    );
  }

  /** Whether one is taken that happens now; it is counted. */
  takes(id: DeviationId): boolean {
    if (!this.#known.has(id)) return false;
    this.counts.set(id, (this.counts.get(id) ?? 0) + 1);
    return true;
  }

  /** Outcomes that are allowed where a deviation is taken. */
  as(id: DeviationId, ...outcomes: readonly Outcome[]): Outcome[] {
    if (!this.#known.has(id)) return [];
    return outcomes.map((outcome) => ({ ...outcome, deviation: id }));
  }
}

/** The largest packet that a send() is cut into, in bytes. */
const MAX_PACKET = 65_536;
/** Less than a guest's driver has room for in one of its buffers, in bytes. */
const GUEST_PACKET = 2048;
/** More than a packet costs besides its data, in bytes, also in a debug kernel. */
const PACKET_COST = 1024;

/** How many packets a send() to a socket may become. */
export function packetsOf(length: number, { at }: ModelSocket): number {
  return Math.ceil(length / (at === undefined ? MAX_PACKET : GUEST_PACKET));
}

/** Whether the packets that lie unread at either end may have cost the connection (K-1). */
export function mayBeReset({ packets, buffer, peer }: ModelSocket): boolean {
  const isNear = (count: number, size: number) => (count + 1) * PACKET_COST > size;
  return isNear(packets, buffer.size) ||
    peer !== undefined && isNear(peer.packets, peer.buffer.size);
}

/** Whether an answer is one of a connection that the kernel has reset. */
export function tellsOfReset(
  { type }: ModelSocket,
  call: SocketCall,
  { result, errno, flags = [] }: CallAnswer,
): boolean {
  switch (call.call) {
    case "send":
      return errno === "EPIPE" || type === "stream" && errno === "ENOBUFS";
    case "recv":
      return errno === "ENOBUFS" || errno === "ENOTCONN" || errno === undefined;
    case "poll":
      return flags.includes("ERR") || flags.includes("RDHUP") || flags.includes("IN");
    case "getsockopt":
      return call.option === "SO_ERROR" && result === 105;
    case "ioctl":
      return errno === undefined;
    default:
      return false;
  }
}
