/**
 * What this process knows of its machine without any socket.
 *
 * @module
 */
import type { EndFacts } from "./event.ts";
import { VERSION } from "./version.ts";

/** What can be said of this machine by a process that has no sockets here. */
export function machineFacts(name: string): EndFacts {
  return { name, kernel: Deno.osRelease(), machine: Deno.build.arch, version: VERSION };
}
