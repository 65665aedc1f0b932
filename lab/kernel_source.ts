/**
 * The source of the newest kernel that Debian packages.
 *
 * @module
 */
import { Archive } from "./apt.ts";
import { output } from "./command.ts";
import { LabError } from "./error.ts";
import type { Progress } from "./progress.ts";

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
 * @param wanted what of the tree is needed, as paths in it; without, all of it (2 GB).
 */
export async function unpackSource(
  into: string,
  progress: Progress,
  wanted: readonly string[] = [],
): Promise<KernelSource> {
  const archive = await progress.phase("lists", "fetching Debian's package lists", Archive.open);
  const [source] = await archive.find(/^linux-source-\d+\.\d+$/);
  if (source === undefined) throw new LabError("Debian's archive has no kernel source");
  const megabytes = Math.ceil(source.size / 1024 / 1024);
  const text = `downloading ${source.name} ${source.version} (${megabytes} MB)`;
  await Deno.mkdir(into);
  await progress.phase("source", text, async () => {
    await archive.unpack(source, into);
    const paths = wanted.map((path) => `${source.name}/${path}`);
    await output("tar", ["-xf", `usr/src/${source.name}.tar.xz`, ...paths], { cwd: into });
  });
  return { name: `${source.name} ${source.version}`, root: `${into}/${source.name}` };
}
