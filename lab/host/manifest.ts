/**
 * Manifests: a record of a folder's files, kept in the folder, so that damage is detected before
 * the files are used.
 *
 * A file is read only if its ctime differs from the recorded one: every write through the kernel
 * sets ctime, and no program can set it back. Damage below the file system, which changes neither
 * ctime nor the size, is not detected.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** The manifest's name in its folder. */
const NAME = "manifest.json";
/** The number of files checked in parallel. */
const AT_ONCE = 64;
/**
 * Two changes within this time, in milliseconds, may get the same ctime: Deno reports whole
 * seconds, and the kernel's clock for files lags by a few milliseconds.
 */
const TICK = 1200;
/** The owner may execute it. */
const EXECUTABLE = 0o100;

/** A file: its size in bytes, its SHA-256, and its ctime when it was last read, in milliseconds. */
interface FileEntry {
  readonly size: number;
  readonly sha256: string;
  readonly changed?: number;
  readonly executable?: boolean;
}

/** A symbolic link, which may be dangling. */
interface LinkEntry {
  readonly link: string;
}

type Manifest = Record<string, FileEntry | LinkEntry>;

/** The result of checking one entry. */
interface Found {
  readonly name: string;
  readonly isDamaged: boolean;
  /** The entry to be recorded from now on. */
  readonly entry: FileEntry | LinkEntry;
}

/** Records a folder's files. */
export async function writeManifest(folder: string): Promise<void> {
  const names = await Array.fromAsync(filesBelow(folder));
  const entries = await inTurns(names, async (name) => [name, await entryOf(`${folder}/${name}`)]);
  await Deno.writeTextFile(`${folder}/${NAME}`, JSON.stringify(Object.fromEntries(entries)));
}

/** What is wrong with a folder: undefined if nothing is, `"absent"` if it does not exist. */
export async function damageOf(folder: string): Promise<string | undefined> {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(await Deno.readTextFile(`${folder}/${NAME}`));
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "absent" : `${folder} has no usable manifest`;
  }
  const all = await inTurns(
    Object.entries(manifest),
    ([name, entry]) => look(`${folder}/${name}`, name, entry),
  );
  const damaged = all.find(({ isDamaged }) => isDamaged);
  if (damaged !== undefined) return `${folder}/${damaged.name} is damaged`;
  if (all.some(({ name, entry }) => entry !== manifest[name])) await rewrite(folder, all);
  return undefined;
}

/** Compares a file with its entry. */
async function look(path: string, name: string, entry: FileEntry | LinkEntry): Promise<Found> {
  const info = await Deno.lstat(path).catch(() => undefined);
  const found = (isDamaged: boolean, now = entry) => ({ name, isDamaged, entry: now });
  if (info === undefined || !isTrusted(info)) return found(true);
  if ("link" in entry) return found(!info.isSymlink || await Deno.readLink(path) !== entry.link);
  if (!info.isFile || info.size !== entry.size) return found(true);
  if (entry.executable === !isExecutable(info)) return found(true);
  const { changed, ...rest } = entry;
  const settled = settledChange(info);
  if (changed !== undefined && changed === settled) return found(false);
  // If the cache was copied, ctime is when the copy was made.
  const isDamaged = await sha256(path) !== entry.sha256;
  return found(isDamaged, settled === undefined ? entry : { ...rest, changed: settled });
}

async function entryOf(path: string): Promise<FileEntry | LinkEntry> {
  const info = await Deno.lstat(path);
  if (info.isSymlink) return { link: await Deno.readLink(path) };
  const changed = settledChange(info);
  return {
    size: info.size,
    sha256: await sha256(path),
    executable: isExecutable(info),
    ...(changed === undefined ? {} : { changed }),
  };
}

/** Whether a file belongs to this user or root: others are not used. */
function isTrusted({ uid }: Deno.FileInfo): boolean {
  return uid === null || uid === 0 || uid === Deno.uid();
}

function isExecutable({ mode }: Deno.FileInfo): boolean {
  return ((mode ?? 0) & EXECUTABLE) !== 0;
}

/** A file's ctime, unless another change could still get the same one. */
function settledChange({ ctime }: Deno.FileInfo): number | undefined {
  const time = ctime?.getTime();
  return time === undefined || Date.now() - time < TICK ? undefined : time;
}

/** Rewrites a manifest if any ctime differed. */
async function rewrite(folder: string, all: readonly Found[]): Promise<void> {
  const file = `${folder}/${NAME}.${crypto.randomUUID()}`;
  const entries = all.map(({ name, entry }) => [name, entry]);
  try {
    await Deno.writeTextFile(file, JSON.stringify(Object.fromEntries(entries)));
    await Deno.rename(file, `${folder}/${NAME}`);
  } catch {
    // A read-only cache can be used; its files are then read every time.
  }
}

async function* filesBelow(folder: string, prefix = ""): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${prefix}`)) {
    if (isDirectory) yield* filesBelow(folder, `${prefix}${name}/`);
    else yield `${prefix}${name}`;
  }
}

/** Calls `body` for every element, for a few in parallel; the results are in the same order. */
async function inTurns<T, U>(all: readonly T[], body: (one: T) => Promise<U>): Promise<U[]> {
  const results: U[] = [];
  for (let i = 0; i < all.length; i += AT_ONCE) {
    results.push(...await Promise.all(all.slice(i, i + AT_ONCE).map(body)));
  }
  return results;
}

/** The SHA-256 of a file, in hexadecimal. */
export async function sha256(path: string): Promise<string> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const chunk = new Uint8Array(1024 * 1024);
  for (let count = await file.read(chunk); count !== null; count = await file.read(chunk)) {
    hash.update(chunk.subarray(0, count));
  }
  return hash.digest("hex");
}

/** The SHA-256 of a text, in hexadecimal. */
export function sha256Text(text: string): Promise<string> {
  return Promise.resolve(createHash("sha256").update(text).digest("hex"));
}
