/**
 * Where sockets of a program are.
 *
 * @module
 */
import { type MachineName, MACHINES } from "../core/socket_call.ts";

/** The other machine, where there are two. */
export function otherThan({ at }: { readonly at?: MachineName }): { at?: MachineName } {
  const other = MACHINES.find((name) => name !== at);
  return at === undefined || other === undefined ? {} : { at: other };
}
