/**
 * The facts about this machine that are known without any sockets.
 *
 * @module
 */
import type { EndFacts } from "./event.ts";
import { VERSION } from "./version.ts";

/** The facts about this machine that a process without sockets can give. */
export function machineFacts(name: string): EndFacts {
  return { name, kernel: Deno.osRelease(), machine: Deno.build.arch, version: VERSION };
}
