/**
 * Working folders in the system's temporary folder. They are removed when their process ends; if it
 * was killed, the next process removes them.
 *
 * @module
 */
import { removeIfThere } from "./cache.ts";

/** The purposes of working folders, and the prefixes of their names. */
const KINDS = { lab: "vsock-lab-", compare: "vsock-compare-" } as const;
/** The purpose of a working folder. */
export type WorkKind = keyof typeof KINDS;

/** A file in the folder that the process that made it keeps locked while it lives. */
const OWNER = "owner";
/** A folder without that file that changed within this time, in milliseconds, is being made. */
const MAKING_TIME = 3600_000;
/** Folders in which sockets can be made: a path has up to 107 bytes, and QEMU reserves commas. */
const FIT = /^\/[\w./-]{1,64}$/;

/** A working folder; removed when disposed of. */
export class WorkFolder implements AsyncDisposable {
  readonly path: string;
  readonly #owner: Deno.FsFile;

  private constructor(path: string, owner: Deno.FsFile) {
    this.path = path;
    this.#owner = owner;
  }

  /** Makes one, and removes those that are no longer used. */
  static async make(kind: WorkKind): Promise<WorkFolder> {
    const temporary = Deno.env.get("TMPDIR") ?? "";
    const dir = FIT.test(temporary) ? temporary : "/tmp";
    // Failing to sweep does no harm.
    await sweep(dir).catch(() => {});
    const path = await Deno.makeTempDir({ dir, prefix: KINDS[kind] });
    const owner = await Deno.open(`${path}/new`, { write: true, createNew: true });
    await owner.lock(true);
    // Under this name the file is never seen unlocked.
    await Deno.rename(`${path}/new`, `${path}/${OWNER}`);
    return new WorkFolder(path, owner);
  }

  /** Removes it with its contents. */
  async [Symbol.asyncDispose](): Promise<void> {
    await removeIfThere(this.path);
    this.#owner.close();
  }
}

/**
 * Removes this user's working folders that are no longer used: their process has ended, and no
 * other process was started with their path, such as the QEMU of a lab that stays up.
 */
async function sweep(dir: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    if (!isDirectory || !Object.values(KINDS).some((prefix) => name.startsWith(prefix))) continue;
    // Another process may be removing it at the same time.
    await removeUnlessUsed(`${dir}/${name}`).catch(() => {});
  }
}

async function removeUnlessUsed(path: string): Promise<void> {
  const { uid, mtime, isDirectory } = await Deno.lstat(path);
  if (uid !== Deno.uid() || !isDirectory) return;
  const owner = await Deno.open(`${path}/${OWNER}`, { write: true }).catch(() => undefined);
  try {
    const isOwned = owner === undefined
      ? Date.now() - (mtime?.getTime() ?? 0) < MAKING_TIME
      : !await owner.tryLock(true);
    if (isOwned || (await commandLines()).some((line) => line.includes(path))) return;
    await Deno.remove(path, { recursive: true });
  } finally {
    owner?.close();
  }
}

/** The command lines of all processes that this user can read. */
async function commandLines(): Promise<string[]> {
  const lines: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    lines.push(await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => ""));
  }
  return lines;
}
