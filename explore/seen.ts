/**
 * Which calls were seen in which states.
 *
 * @module
 */
import type { CallName } from "../core/socket_call.ts";

/** How often each kind of call was seen in each state, by {@linkcode pairOf}. */
export type Seen = ReadonlyMap<string, number>;

/** A state and the call that was made in it. */
export function pairOf(state: string, call: CallName): string {
  return `${state}: ${call}`;
}
