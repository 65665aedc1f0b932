/**
 * Fetches the source of the newest kernel in Debian.
 *
 * @module
 */
import { Archive } from "../host/apt.ts";
import { ownArch } from "../arch.ts";
import { output } from "../host/command.ts";
import type { Progress } from "../progress.ts";

/** A kernel's source on disk. */
export interface KernelSource {
  /** The package's name and version. */
  readonly name: string;
  /** The root of the tree. */
  readonly root: string;
}

/**
 * Fetches and unpacks it; the download has 170 MB.
 *
 * @param env the environment, whose PATH must have xz.
 * @param wanted the paths in the tree that are needed; by default, the whole tree (2 GB).
 */
export async function unpackSource(
  into: string,
  env: Readonly<Record<string, string>>,
  progress: Progress,
  wanted: readonly string[] = [],
): Promise<KernelSource> {
  const archive = await Archive.open(ownArch().debian, "current", progress);
  const [source] = await archive.find(/^linux-source-\d+\.\d+$/);
  if (source === undefined) throw archive.missing("Debian's archive has no kernel source");
  const text = `downloading ${source.name} ${source.version}`;
  await Deno.mkdir(into);
  await progress.phase("source", text, async (detail) => {
    await archive.unpack([source], into, detail);
    detail("unpacking");
    const paths = wanted.map((path) => `${source.name}/${path}`);
    const { stop: signal } = progress;
    await output("tar", ["-xf", `usr/src/${source.name}.tar.xz`, ...paths], {
      cwd: into,
      env,
      signal,
    });
  });
  return { name: `${source.name} ${source.version}`, root: `${into}/${source.name}` };
}
