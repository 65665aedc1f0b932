/**
 * Toolsets: Debian packages with all their dependencies, unpacked into the cache. Nothing is
 * installed, and of this machine's own programs only a shell, coreutils and apt are used, so that
 * everybody has the same QEMU and the same compiler.
 *
 * @module
 */
import { type ArchTraits, ownArch } from "../arch.ts";
import { type Progress, waiting } from "../progress.ts";
import { Archive } from "./apt.ts";
import { cached, cacheFolder, removeIfThere, sha256Text } from "./cache.ts";
import { makeRunnable } from "./own_loader.ts";

/** To be incremented when the code below treats unpacked packages differently. */
const LAYOUT = 3;

/** The file that lists a toolset's packages, with their versions. */
const LIST = "packages.txt";

/** Folders that are not needed at run time. */
const NEEDLESS = ["usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var"];

/** Packages that were unpacked together. */
export interface Toolset {
  /** The folder that takes the place of `/`. */
  readonly root: string;
  /** Differs between any two toolsets: a checksum of what was unpacked. */
  readonly identity: string;
}

/** A toolset to be made. */
export interface Wanted {
  /** Its name in messages. */
  readonly what: string;
  /** The name of its folder in the cache, without the checksum. */
  readonly name: string;
  readonly arch: ArchTraits;
  readonly packages: readonly string[];
  /** Packages of another architecture, for their headers and libraries; they are never run. */
  readonly foreign?: { readonly arch: ArchTraits; readonly packages: readonly string[] };
}

/** The folder for {@linkcode Wanted.foreign}, below the root. */
export const FOREIGN = "foreign";

/** Finds a toolset in the cache, or fetches and unpacks it. */
export async function unpacked(wanted: Wanted, progress: Progress): Promise<Toolset> {
  const { what, name, arch, packages, foreign } = wanted;
  const key = (await sha256Text(JSON.stringify([LAYOUT, packages, foreign?.packages]))).slice(
    0,
    12,
  );
  const parts = ["tools", `${name}-${key}`] as const;
  const root = `${await cacheFolder(parts[0])}/${parts[1]}`;
  await cached(
    parts,
    async (making) => {
      const archive = await Archive.open(arch.debian, "current", progress);
      await progress.phase(name, `unpacking ${what}`, async (detail) => {
        const files = await archive.unpackWithDependencies(packages, making, detail);
        await Deno.writeTextFile(`${making}/${LIST}`, `${files.sort().join("\n")}\n`);
        if (foreign !== undefined) await unpackForeign(foreign, making, progress);
        for (const folder of NEEDLESS) await removeIfThere(`${making}/${folder}`);
        await mergeUsr(making);
        if (arch === ownArch()) {
          const home = { now: making, later: root };
          await makeRunnable(making, root, home, arch, progress.stop);
        }
      });
    },
    (damage) => progress.log(`${damage}; unpacking it again`),
    waiting(progress),
  );
  const list = await Deno.readTextFile(`${root}/${LIST}`);
  return { root, identity: `${name}-${key} ${await sha256Text(list)}` };
}

/** Some files refer to others by absolute paths, such as libc.so, which the linker reads. */
async function mergeUsr(root: string): Promise<void> {
  for (const name of ["lib", "lib64"]) {
    const isThere = await Deno.stat(`${root}/usr/${name}`).then(() => true, () => false);
    if (isThere) await Deno.symlink(`usr/${name}`, `${root}/${name}`);
  }
}

async function unpackForeign(
  { arch, packages }: NonNullable<Wanted["foreign"]>,
  making: string,
  progress: Progress,
): Promise<void> {
  const archive = await Archive.open(arch.debian, "current", progress);
  const items = await Promise.all(packages.map(async (name) => {
    const [item] = await archive.find(new RegExp(`^${name}$`), name);
    if (item === undefined) throw archive.missing(`Debian's archive has no ${name}`);
    return item;
  }));
  await archive.unpack(items, `${making}/${FOREIGN}`, () => {});
}

/** Finds or fetches packages whose programs run on this machine. */
export async function programs(
  name: string,
  packages: readonly string[],
  progress: Progress,
): Promise<Toolset> {
  const wanted = { what: name, name, arch: ownArch(), packages: [...packages, "patchelf"] };
  return await unpacked(wanted, progress);
}
