/**
 * What an agent is told to begin.
 *
 * @module
 */
import type { StartOrder } from "../../control/wire.ts";

/** Begins the server of a case that there is not. */
export function startOrder(run: number): StartOrder {
  return { type: "start", run, id: "a/b/c", role: "server", port: 1234, seed: 7, timeout: 1000 };
}
