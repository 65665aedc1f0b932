/**
 * What the lab keeps between runs: kernels, images, bundles, consoles. Everything is made in a
 * temporary folder and then renamed into place, so that an entry of the cache is always complete.
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

/** The free space, in bytes, that must be left: unpacking a kernel takes about this much. */
const MIN_FREE = 900 * 1024 * 1024;
/** The number of labs whose consoles are kept, including the newest. */
const KEPT_RUNS = 20;

/** The variable that overrides the default folder. */
const CACHE_VARIABLE = "VSOCK_CONFORMANCE_CACHE";

/**
 * The lab's folder: the one that a variable names, or else one in the user's cache folder.
 *
 * @throws {LabError} if this user has no home.
 */
export function cacheRoot(): string {
  const own = Deno.env.get(CACHE_VARIABLE);
  if (own) return resolve(own);
  const base = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") || homeOfUser()}/.cache`;
  return resolve(base, "vsock-conformance");
}

/** Used if HOME is not set. A shared folder would not do: the lab runs programs from its cache. */
function homeOfUser(): string {
  try {
    const { homedir } = userInfo();
    if (homedir) return homedir;
  } catch {
    // This user has no entry in passwd(5).
  }
  throw new LabError(`Cannot choose a cache folder: HOME is not set; ${ELSEWHERE}`);
}

/** The path of an entry of the cache, which may not exist yet. */
export function cachePath(...parts: string[]): string {
  return [cacheRoot(), ...parts].join("/");
}

/**
 * A folder of the cache, made if necessary.
 *
 * @throws {LabError} if it is not writable, or if other users could write to it.
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

/** @throws {LabError} if the cache's disk is nearly full. */
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

/** Settings for {@linkcode cached}. */
export interface CacheOptions {
  /** Ends the wait for another process. */
  readonly signal?: AbortSignal | undefined;
  /** Receives a message if this process has to wait for another one. */
  readonly onWait?: ((what: string) => void) | undefined;
  /** Make the entry again, even if it exists. */
  readonly refresh?: boolean | undefined;
}

/**
 * Calls `body` while no other process holds the same lock of this cache. A lock ends with its
 * process.
 *
 * @param name the lock's name, a path in the cache.
 * @param onWait receives a message, once, if another process holds the lock.
 * @throws the reason of `signal`, if it is aborted while waiting.
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

/** The file of a lock of the cache. */
export async function lockFile(name: string): Promise<string> {
  return `${await cacheFolder("locks")}/${encodeURIComponent(name)}`;
}

/**
 * A folder of the cache with a manifest. Unless it exists and is undamaged, `make` makes it, in
 * only one process if several need it at the same time.
 *
 * @param make fills a folder; the checksums of its files are then recorded.
 * @param onDamage receives a message if a damaged folder is about to be replaced.
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
    // The process that held the lock may have made it.
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

/** Removes what was left by processes that were killed while making an entry. */
export async function removeStale(folder: string, prefix: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.startsWith(prefix)) continue;
    // A child of such a process may still be writing there.
    await removeIfThere(`${folder}/${name}`).catch(() => {});
  }
}

/**
 * A new folder for the consoles of one lab. The oldest folders are removed, except those of labs
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

/** The number of labs started by this process, which may start several in a second. */
let labs = 0;
/** Sorts by time, then by number. */
const { compare: inOrder } = new Intl.Collator("en", { numeric: true });

/** The records of labs that are up (lab/registry.ts), as text. */
async function labsThatAreUp(): Promise<string> {
  const folder = await cacheFolder("labs");
  const texts: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    texts.push(await Deno.readTextFile(`${folder}/${name}`).catch(() => ""));
  }
  return texts.join("\n");
}

/** Removes a file, or a folder with its contents, if it exists. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
