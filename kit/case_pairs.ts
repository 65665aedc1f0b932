/**
 * Makes a case for each type of socket.
 *
 * @module
 */
import type { Need } from "../core/case.ts";
import type { SocketType } from "../sys/socket.ts";

/** Makes a case for stream sockets, and one for seqpacket sockets. */
export function forBothTypes<C>(define: (type: SocketType) => C): readonly [C, C] {
  return [define("stream"), define("seqpacket")];
}

/** The features needed to connect sockets of a type, and further ones. */
export function connecting(type: SocketType, ...others: readonly Need[]): Need[] {
  return type === "seqpacket" ? ["seqpacket", ...others] : [...others];
}
