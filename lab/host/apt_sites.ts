/**
 * The sites from which this machine's apt gets packages, even if it has not fetched any package
 * lists yet, as in container images.
 *
 * @module
 */
import { reasonOf } from "../../core/error.ts";
import { LabError } from "../error.ts";
import { output } from "./command.ts";

/**
 * The sites and releases of this machine's sources, one per line. Nothing is fetched or written.
 *
 * @throws {LabError} if there is no apt.
 */
export async function aptTargets(): Promise<string> {
  return targetsOf(await output("apt-get", ["update", "--print-uris"]));
}

/** Parses the output of `apt-get update --print-uris`. */
export function targetsOf(uris: string): string {
  return [...uris.matchAll(/^'([^']+)\/dists\/([^'/]+)\/InRelease'/gm)]
    .map(([, site = "", release = ""]) => `${site} ${release}\n`).join("");
}

/** The newest release known to the lab: it has the lab's tools. */
export const NEWEST_RELEASE = "trixie";
/** The releases in which kernels are looked for, the newest last. */
const RELEASES = ["bookworm", NEWEST_RELEASE];

/** This machine cannot fetch Debian packages. */
export class NoArchiveError extends LabError {}

/** The sites in this machine's sources: Debian's own, and the one for security updates. */
export interface Sites {
  readonly main: string;
  readonly security: string | undefined;
  readonly releases: readonly string[];
}

/**
 * Finds the Debian sites that this machine's apt uses.
 *
 * @throws {NoArchiveError} if there is no apt, or it has no Debian sources.
 */
export async function debianSites(): Promise<Sites> {
  const without = `give --qemu <program> and --kernel <vmlinuz> --modules <folder>`;
  const targets = await aptTargets().catch((error) => {
    throw new NoArchiveError(
      `The lab's tools and kernels are Debian packages, and this machine has no apt to fetch them ` +
        `with (${reasonOf(error)}): use a machine with Debian, or ${without}`,
    );
  });
  const found = parseTargets(targets);
  if (found === undefined) {
    throw new NoArchiveError(
      "The lab's tools and kernels are Debian packages, and this machine's apt has no Debian " +
        `sources: add one, or ${without}`,
    );
  }
  return found;
}

/** Parses lines that each have a site and a release. */
export function parseTargets(text: string): Sites | undefined {
  const pairs = text.trim().split("\n").map((line) => line.split(" "))
    .filter((pair): pair is [string, string] => pair.length === 2);
  const known = (release: string) => /^[a-z]+$/.test(release);
  const security = pairs.find(([, release]) => /^[a-z]+-security$/.test(release));
  const base = security?.[1].replace(/-security$/, "");
  const main = pairs.find(([, release]) => release === base) ??
    pairs.find(([, release]) => RELEASES.includes(release));
  if (main === undefined || !known(main[1])) return undefined;
  const releases = [...new Set([main[1], ...RELEASES])];
  return { main: main[0], security: security?.[0], releases };
}
