/**
 * Debian as it is when it has just been installed, in a tar archive in the cache: made by
 * debootstrap(8), which is unpacked and not installed.
 *
 * @module
 */
import { Archive } from "../../lab/host/apt.ts";
import { parseTargets } from "../../lab/host/apt_sites.ts";
import { aptTargets } from "../../lab/host/apt_sites.ts";
import { ownArch } from "../../lab/arch.ts";
import { cached } from "../../lab/host/cache.ts";
import { output } from "../../lab/host/command.ts";
import { LabError } from "../../lab/error.ts";
import { type Progress, waiting } from "../../lab/progress.ts";

/** The releases of Debian that the README's commands must pass on. */
export const RELEASES = ["bookworm", "trixie"] as const;
/** One of them. */
export type Release = typeof RELEASES[number];

/** Changes when what is in the archive does. */
const LAYOUT = 1;
/** Root alone may make file systems with devices and owners. */
const NEEDS_ROOT = "A fresh machine is a folder with a system of its own, which only root can make";

/** In the place of wget(1), which debootstrap wants: apt has one that knows this machine's proxies. */
const WGET = `#!/bin/sh
while [ $# -gt 1 ]; do [ "$1" != -O ] || into=$2; shift; done
exec /usr/lib/apt/apt-helper -qq download-file "$1" "$into"
`;

/** Where this machine gets Debian from. */
export interface DebianSites {
  readonly main: string;
  readonly security: string | undefined;
}

/** @throws {LabError} where this machine cannot make fresh ones. */
export function requireRoot(): void {
  if (Deno.uid() !== 0) throw new LabError(NEEDS_ROOT);
}

/** The sites of this machine's apt. */
export async function debianSites(): Promise<DebianSites> {
  const found = parseTargets(await aptTargets());
  if (found === undefined) throw new LabError("This machine's apt has no Debian sources");
  return found;
}

/** The path of the archive, made if need be. */
export async function baseSystem(
  release: Release,
  { main }: DebianSites,
  progress: Progress,
): Promise<string> {
  requireRoot();
  const folder = await cached(
    ["fresh", `${release}-${LAYOUT}`],
    (making) => bootstrap(release, main, making, progress),
    (damage) => progress.log(`${damage}; making it again`),
    waiting(progress),
  );
  return `${folder}/base.tar`;
}

async function bootstrap(
  release: Release,
  site: string,
  making: string,
  progress: Progress,
): Promise<void> {
  const tools = `${making}/tools`;
  const archive = await Archive.open(ownArch().debian, "current", progress);
  const [item] = await archive.find(/^debootstrap$/, "debootstrap");
  if (item === undefined) throw archive.missing("Debian's archive has no debootstrap");
  await progress.phase("base", `making a Debian ${release} in a folder`, async (detail) => {
    await archive.unpack([item], tools, detail);
    await Deno.writeTextFile(`${tools}/wget`, WGET, { mode: 0o755 });
    const { stop: signal } = progress;
    const root = `${making}/root`;
    // In namespaces of their own, mounts and processes end with it.
    await output("unshare", [
      ...["--mount", "--pid", "--fork", "--kill-child", `${tools}/usr/sbin/debootstrap`],
      ...["--variant=minbase", "--include=ca-certificates", release, root, site],
    ], {
      env: {
        DEBOOTSTRAP_DIR: `${tools}/usr/share/debootstrap`,
        PATH: `${tools}:${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin`,
      },
      signal,
    });
    for (const folder of ["var/cache/apt/archives", "var/lib/apt/lists"]) {
      await output("find", [`${root}/${folder}`, "-type", "f", "-delete"]);
    }
    const args = ["--numeric-owner", "-C", root, "-cf", `${making}/base.tar`, "."];
    await output("tar", args, { signal });
    await Deno.remove(root, { recursive: true });
    await Deno.remove(tools, { recursive: true });
  });
}
