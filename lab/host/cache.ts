/**
 * What the lab keeps between runs: kernels, images, bundles, consoles. A thing is made in a
 * folder of its own and moved into place whole, so that what is there is complete.
 *
 * @module
 */
import { reasonOf } from "../../core/error.ts";
import { statfs } from "node:fs/promises";
import { userInfo } from "node:os";
import { resolve } from "node:path";
import { LabError } from "../error.ts";
import { takeLock } from "./lock.ts";
import { damageOf, writeManifest } from "./manifest.ts";
import { privateFolder } from "./private_folder.ts";

export { sha256, sha256Text } from "./manifest.ts";

/** Free space below which nothing large is begun: a kernel being unpacked takes about this. */
const MIN_FREE = 900 * 1024 * 1024;
/** How many labs' consoles are kept, the newest one's among them. */
const KEPT_RUNS = 20;

/** Names another folder than the one in the user's cache folder. */
const CACHE_VARIABLE = "VSOCK_CONFORMANCE_CACHE";

/**
 * The lab's folder: in the user's cache folder, or where a variable says.
 *
 * @throws {LabError} where this user has no home.
 */
export function cacheRoot(): string {
  const own = Deno.env.get(CACHE_VARIABLE);
  if (own) return resolve(own);
  const base = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") || homeOfUser()}/.cache`;
  return resolve(base, "vsock-conformance");
}

/** Where HOME is not set: what lies in a folder that others share would be run. */
function homeOfUser(): string {
  try {
    const { homedir } = userInfo();
    if (homedir) return homedir;
  } catch {
    // This user has no entry in passwd(5).
  }
  throw new LabError(`There is no place for the cache, since HOME is not set; ${ELSEWHERE}`);
}

/** Where a thing of the cache is, or would be. */
export function cachePath(...parts: string[]): string {
  return [cacheRoot(), ...parts].join("/");
}

/**
 * A folder of the cache, made if need be.
 *
 * @throws {LabError} where it cannot be written, or somebody else could put something into it.
 */
export async function cacheFolder(...parts: string[]): Promise<string> {
  const folder = cachePath(...parts);
  try {
    await privateFolder(folder);
  } catch (error) {
    throw new LabError(`Cannot use the cache folder ${folder}: ${reasonOf(error)}; ${ELSEWHERE}`);
  }
  return folder;
}

const ELSEWHERE = `set ${CACHE_VARIABLE} to a folder that only you can write to, with 1 GB free`;

/** @throws {LabError} where the cache's disk is nearly full. */
export async function requireSpace(): Promise<void> {
  const folder = await cacheFolder();
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= MIN_FREE) return;
  const free = Math.floor(bavail * bsize / 1024 / 1024);
  throw new LabError(
    `Only ${free} MB are free in ${folder}, and ${MIN_FREE / 1024 / 1024} MB are needed; make ` +
      `room, or ${ELSEWHERE}`,
  );
}

/** How a thing of the cache is waited for. */
export interface CacheOptions {
  /** Ends the wait for another process. */
  readonly signal?: AbortSignal | undefined;
  /** Is told, in a few words, that another process is waited for. */
  readonly onWait?: ((what: string) => void) | undefined;
  /** Makes it again, even if it is there. */
  readonly refresh?: boolean | undefined;
}

/**
 * Does something while no other process of this user does it in this cache. What ends a process,
 * ends its lock.
 *
 * @param name of what is done, as a path in the cache.
 * @param onWait is told once, in a few words, which process is waited for.
 * @throws the reason of `signal`, when that is aborted while another process is waited for.
 */
export async function withLock<T>(
  name: string,
  signal: AbortSignal | undefined,
  onWait: (what: string) => void,
  body: () => Promise<T>,
): Promise<T> {
  await using _lock = await takeLock(await lockFile(name), name, signal, onWait);
  return await body();
}

/** The file that stands for a lock of the cache. */
export async function lockFile(name: string): Promise<string> {
  return `${await cacheFolder("locks")}/${encodeURIComponent(name)}`;
}

/**
 * A folder of the cache with a manifest: made by `make` unless it is there and undamaged, by one
 * process where several need it at once.
 *
 * @param make fills a folder; its files are written down with their checksums.
 * @param onDamage is told when a damaged folder is thrown away to be made again.
 */
export async function cached(
  parts: readonly string[],
  make: (folder: string) => Promise<void>,
  onDamage: (what: string) => void,
  { signal, onWait = () => {}, refresh = false }: CacheOptions = {},
): Promise<string> {
  const parent = await cacheFolder(...parts.slice(0, -1));
  const name = parts.at(-1) ?? "";
  const folder = `${parent}/${name}`;
  if (!refresh && await damageOf(folder) === undefined) return folder;
  return await withLock(parts.join("/"), signal, onWait, async () => {
    // Whoever had the lock has made it, perhaps.
    const damage = await damageOf(folder);
    if (!refresh && damage === undefined) return folder;
    if (damage !== undefined && damage !== "absent") onDamage(damage);
    await requireSpace();
    await removeStale(parent, `${name}.making-`);
    const making = await Deno.makeTempDir({ dir: parent, prefix: `${name}.making-` });
    try {
      await make(making);
      await writeManifest(making);
      await removeIfThere(folder);
      await Deno.rename(making, folder);
    } catch (error) {
      if (error instanceof Error && /os error 28/.test(error.message)) {
        throw new LabError(`The disk is full while making ${folder}; ${ELSEWHERE}`);
      }
      throw error;
    } finally {
      await removeIfThere(making);
    }
    return folder;
  });
}

/** Removes what processes left that were killed while they made something. */
export async function removeStale(folder: string, prefix: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.startsWith(prefix)) continue;
    // A program that such a process had started may still write there.
    await removeIfThere(`${folder}/${name}`).catch(() => {});
  }
}

/**
 * A new folder for the consoles of one lab; the oldest ones are thrown away, but not those of labs
 * that are up.
 */
export async function consoleFolder(): Promise<string> {
  const parent = await cacheFolder("consoles");
  return await withLock("consoles", undefined, () => {}, async () => {
    const all = await Array.fromAsync(Deno.readDir(parent), ({ name }) => name);
    const up = await labsThatAreUp();
    for (const old of all.sort(inOrder).slice(0, 1 - KEPT_RUNS)) {
      if (!up.includes(`${parent}/${old}/`)) await removeIfThere(`${parent}/${old}`);
    }
    const stamp = new Date().toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
    return await cacheFolder("consoles", `${stamp}-${Deno.pid}-${++labs}`);
  });
}

/** How many labs this process has started: it may start several in a second. */
let labs = 0;
/** By time, then by number. */
const { compare: inOrder } = new Intl.Collator("en", { numeric: true });

/** What was written down about them (lab/registry.ts). */
async function labsThatAreUp(): Promise<string> {
  const folder = await cacheFolder("labs");
  const texts: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    texts.push(await Deno.readTextFile(`${folder}/${name}`).catch(() => ""));
  }
  return texts.join("\n");
}

/** Removes a file, or a folder with all that is in it; what is gone already is gone. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
