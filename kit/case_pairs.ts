/**
 * Cases that either type of socket has.
 *
 * @module
 */
import type { Need } from "../core/case.ts";
import type { SocketType } from "../sys/socket.ts";

/** Makes a case for each type of socket: stream's, then seqpacket's. */
export function forBothTypes<C>(define: (type: SocketType) => C): readonly [C, C] {
  return [define("stream"), define("seqpacket")];
}

/** What a case needs to connect sockets of a type, and what it needs besides. */
export function connecting(type: SocketType, ...others: readonly Need[]): Need[] {
  return type === "seqpacket" ? ["seqpacket", ...others] : [...others];
}
