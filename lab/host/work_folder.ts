/**
 * Folders for what a process works with, in the system's folder for such. They go with the process;
 * what one that was killed has left is removed by the next.
 *
 * @module
 */
import { removeIfThere } from "./cache.ts";

/** What the folders are for, and how their names begin. */
const KINDS = { lab: "vsock-lab-", compare: "vsock-compare-" } as const;
/** What a work folder can be for. */
export type WorkKind = keyof typeof KINDS;

/** In a folder: locked by the process that made it, for as long as that lives. */
const OWNER = "owner";
/** A folder without that file may be being made, in milliseconds since its last change. */
const MAKING_TIME = 3600_000;
/** A folder in which sockets can be made, whose paths have 107 bytes and no comma for QEMU. */
const FIT = /^\/[\w./-]{1,64}$/;

/** A folder of this process's own; removed when disposed of. */
export class WorkFolder implements AsyncDisposable {
  readonly path: string;
  readonly #owner: Deno.FsFile;

  private constructor(path: string, owner: Deno.FsFile) {
    this.path = path;
    this.#owner = owner;
  }

  /** Makes one, and removes those that nobody uses any more. */
  static async make(kind: WorkKind): Promise<WorkFolder> {
    const temporary = Deno.env.get("TMPDIR") ?? "";
    const dir = FIT.test(temporary) ? temporary : "/tmp";
    // What it cannot look at it cannot sweep, and can do without.
    await sweep(dir).catch(() => {});
    const path = await Deno.makeTempDir({ dir, prefix: KINDS[kind] });
    const owner = await Deno.open(`${path}/new`, { write: true, createNew: true });
    await owner.lock(true);
    // Who sees the file by its name sees it locked.
    await Deno.rename(`${path}/new`, `${path}/${OWNER}`);
    return new WorkFolder(path, owner);
  }

  /** Removes it with all that is in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await removeIfThere(this.path);
    this.#owner.close();
  }
}

/**
 * Removes the work folders of this user that are of no use any more: their process has ended, and no
 * other has been told of them, as the QEMU of a lab is that stays up.
 */
async function sweep(dir: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    if (!isDirectory || !Object.values(KINDS).some((prefix) => name.startsWith(prefix))) continue;
    // Another process may be removing it, too.
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

/** The command lines of all processes, as far as this user may know them. */
async function commandLines(): Promise<string[]> {
  const lines: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    lines.push(await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => ""));
  }
  return lines;
}
