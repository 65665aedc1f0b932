/**
 * What the lab keeps between runs: kernels, images, bundles, consoles. A thing is made in a
 * folder of its own and moved into place whole, so that what is there is complete.
 *
 * @module
 */
import { reasonOf } from "../core/reason.ts";
import { statfs } from "node:fs/promises";
import { LabError } from "./error.ts";

/** Free space below which nothing large is begun: a kernel being unpacked takes about this. */
const MIN_FREE = 900 * 1024 * 1024;
/** How many runs' consoles are kept. */
const KEPT_RUNS = 20;

/** A file of a manifest: its size in bytes and its SHA-256. */
interface ManifestEntry {
  readonly size: number;
  readonly sha256: string;
}

/** Names another folder than the one in the user's cache folder. */
const CACHE_VARIABLE = "VSOCK_CONFORMANCE_CACHE";

/** The lab's folder: in the user's cache folder, or where a variable says. */
export function cacheRoot(): string {
  const own = Deno.env.get(CACHE_VARIABLE);
  if (own) return own;
  const base = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${base}/vsock-conformance`;
}

/** Where a thing of the cache is, or would be. */
export function cachePath(...parts: string[]): string {
  return [cacheRoot(), ...parts].join("/");
}

/**
 * A folder of the cache, made if need be.
 *
 * @throws {LabError} where it cannot be written.
 */
export async function cacheFolder(...parts: string[]): Promise<string> {
  const folder = cachePath(...parts);
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch (error) {
    throw new LabError(`Cannot use the cache folder ${folder}: ${reasonOf(error)}; ${ELSEWHERE}`);
  }
  return folder;
}

const ELSEWHERE = `set ${CACHE_VARIABLE} to a folder that can be written and has 1 GB free`;

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

/**
 * A folder of the cache with a manifest: made by `make` unless it is there and undamaged.
 *
 * @param make fills a folder; its files are written down with their checksums.
 * @param onDamage is told when a damaged folder is thrown away to be made again.
 */
export async function cached(
  parts: readonly string[],
  make: (folder: string) => Promise<void>,
  onDamage: (what: string) => void,
): Promise<string> {
  const folder = cachePath(...parts);
  const damage = await damageOf(folder);
  if (damage === undefined) return folder;
  if (damage !== "absent") onDamage(damage);
  await requireSpace();
  const parent = await cacheFolder(...parts.slice(0, -1));
  const making = await Deno.makeTempDir({ dir: parent, prefix: "making-" });
  try {
    await make(making);
    await Deno.writeTextFile(`${making}/manifest.json`, JSON.stringify(await manifestOf(making)));
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
}

/** What is wrong with a cached folder: undefined for nothing. */
async function damageOf(folder: string): Promise<string | undefined> {
  let manifest: Record<string, ManifestEntry>;
  try {
    manifest = JSON.parse(await Deno.readTextFile(`${folder}/manifest.json`));
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "absent" : `${folder} has no usable manifest`;
  }
  for (const [name, entry] of Object.entries(manifest)) {
    const path = `${folder}/${name}`;
    const size = await Deno.stat(path).then((info) => info.size).catch(() => -1);
    if (size !== entry.size || await sha256(path) !== entry.sha256) return `${path} is damaged`;
  }
  return undefined;
}

async function manifestOf(folder: string): Promise<Record<string, ManifestEntry>> {
  const manifest: Record<string, ManifestEntry> = {};
  for await (const name of filesBelow(folder)) {
    const path = `${folder}/${name}`;
    manifest[name] = { size: (await Deno.stat(path)).size, sha256: await sha256(path) };
  }
  return manifest;
}

async function* filesBelow(folder: string, prefix = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${prefix}`)) {
    if (isDirectory) yield* filesBelow(folder, `${prefix}${name}/`);
    else yield `${prefix}${name}`;
  }
}

/** The SHA-256 of a file, in hexadecimal. */
export async function sha256(path: string): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", await Deno.readFile(path)));
}

/** The SHA-256 of a text, in hexadecimal. */
export async function sha256Text(text: string): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

function hex(digest: ArrayBuffer): string {
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A new folder for the consoles of one run; the oldest runs' are thrown away. */
export async function consoleFolder(): Promise<string> {
  const parent = await cacheFolder("consoles");
  const runs: string[] = [];
  for await (const { name } of Deno.readDir(parent)) runs.push(name);
  for (const old of runs.sort().slice(0, -KEPT_RUNS)) {
    await removeIfThere(`${parent}/${old}`);
  }
  const stamp = new Date().toISOString().replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  return await cacheFolder("consoles", `${stamp}-${Deno.pid}`);
}

/** Removes a file, or a folder with all that is in it; what is gone already is gone. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
