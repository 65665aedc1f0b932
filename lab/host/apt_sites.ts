/**
 * Where this machine's apt gets packages from, also where it has no package lists yet, as in the
 * images of containers.
 *
 * @module
 */
import { output } from "./command.ts";

/**
 * The sites and releases of this machine's sources, a line each; nothing is fetched or written.
 *
 * @throws {LabError} where there is no apt.
 */
export async function aptTargets(): Promise<string> {
  return targetsOf(await output("apt-get", ["update", "--print-uris"]));
}

/** Reads what `apt-get update --print-uris` would fetch. */
export function targetsOf(uris: string): string {
  return [...uris.matchAll(/^'([^']+)\/dists\/([^'/]+)\/InRelease'/gm)]
    .map(([, site = "", release = ""]) => `${site} ${release}\n`).join("");
}
