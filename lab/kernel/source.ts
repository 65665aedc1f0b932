/**
 * The source of the newest kernel that Debian packages.
 *
 * @module
 */
import { Archive } from "../host/apt.ts";
import { ownArch } from "../arch.ts";
import { output } from "../host/command.ts";
import type { Progress } from "../progress.ts";

/** Source on disk. */
export interface KernelSource {
  /** The package's name and version. */
  readonly name: string;
  /** The tree's topmost folder. */
  readonly root: string;
}

/**
 * Fetches and unpacks it; 170 MB are downloaded.
 *
 * @param env with a PATH that has xz.
 * @param wanted what of the tree is needed, as paths in it; without, all of it (2 GB).
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
