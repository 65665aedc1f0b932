/**
 * Writes files atomically: under a temporary name, then renamed, so that nobody reads half a file,
 * or an old file instead of the new one.
 *
 * @module
 */
import { basename, dirname, resolve } from "node:path";
import { reasonOf, UsageError } from "../core/error.ts";
import { screenOf } from "../report/screen.ts";

/**
 * Writes a text to a file, or to standard output without one.
 *
 * @param what the name of the file in errors.
 * @throws {UsageError} if it cannot be written.
 */
export async function writeText(
  text: string,
  path: string | undefined,
  what: string,
): Promise<void> {
  if (path === undefined) return screenOf(Deno.stdout).write(text);
  using file = await OutputFile.open(path, what);
  await file.write(text);
}

/** A file, with all symbolic links resolved. */
interface Target {
  readonly path: string;
  /** Whether it can only be written in place: a pipe, a device, or a file below /proc/<pid>/fd. */
  readonly isStream: boolean;
}

/** A file that is checked to be writable before there is anything to write. */
export class OutputFile implements Disposable {
  readonly #path: string;
  readonly #what: string;
  readonly #target: Target;
  readonly #stream: Sink | undefined;

  private constructor(path: string, what: string, target: Target, stream?: Sink) {
    this.#path = path;
    this.#what = what;
    this.#target = target;
    this.#stream = stream;
  }

  /**
   * Checks that it can be written.
   *
   * @param what the name of the file in errors.
   * @param meanwhile the content until the file is written, so that the old content is not mistaken
   * for the new one; not written to a pipe or a device. If undefined, nothing is checked.
   * @throws {UsageError} if it cannot be written.
   */
  static async open(path: string, what: string, meanwhile?: string): Promise<OutputFile> {
    try {
      const target = await targetOf(path);
      if (!target.isStream) {
        if (meanwhile !== undefined) await replace(target.path, meanwhile);
        return new OutputFile(path, what, target);
      }
      return new OutputFile(path, what, target, await streamOf(target.path));
    } catch (error) {
      throw cannotWrite(path, error, what);
    }
  }

  /** Equal for two paths of the same file. */
  get identity(): string {
    return this.#target.path;
  }

  /** @throws {UsageError} if it can no longer be written; it then keeps its content. */
  async write(text: string): Promise<void> {
    try {
      if (this.#stream === undefined) await replace(this.#target.path, text);
      else await writeAll(this.#stream, text);
    } catch (error) {
      throw cannotWrite(this.#path, error, this.#what);
    }
  }

  [Symbol.dispose](): void {
    if (this.#stream instanceof Deno.FsFile) this.#stream.close();
  }
}

/** The error for a file that cannot be written. */
export function cannotWrite(path: string, error: unknown, what: string): Error {
  if (error instanceof Deno.errors.NotCapable) return error;
  return new UsageError(`Cannot write the ${what} ${path}: ${reasonOf(error)}`);
}

/** A file, or this process's standard output. */
type Sink = Pick<Deno.FsFile, "write">;

/** Opens a file that can only be written in place, for appending: others may write to it, too. */
async function streamOf(path: string): Promise<Sink> {
  // Do not reopen it: with its own offset, later output would overwrite this one.
  if (path === `/proc/${Deno.pid}/fd/1`) return Deno.stdout;
  if (path === `/proc/${Deno.pid}/fd/2`) return Deno.stderr;
  return await Deno.open(path, { append: true });
}

async function targetOf(path: string): Promise<Target> {
  // The kernel follows as many links, see path_resolution(7).
  let at = resolve(path);
  for (let links = 0; links < 40; links++) {
    const folder = await Deno.realPath(dirname(at));
    const here = resolve(folder, basename(at));
    if (/^\/proc\/\d+(\/task\/\d+)?\/fd$/.test(folder)) return { path: here, isStream: true };
    const info = await unlessAbsent(Deno.lstat(here));
    if (!info?.isSymlink) return { path: here, isStream: info !== undefined && !info.isFile };
    at = resolve(folder, await Deno.readLink(here));
  }
  throw new Error("too many links");
}

async function unlessAbsent<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Errors of a rename in a folder that do not mean that the file itself cannot be written. */
const NOT_BY_NAME: readonly unknown[] = ["EACCES", "EPERM", "EROFS", "EBUSY"];

/** Replaces a file's content atomically. */
async function replace(path: string, text: string): Promise<void> {
  const old = await unlessAbsent(Deno.stat(path));
  try {
    await renameOver(path, text, old);
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (old === undefined || !NOT_BY_NAME.includes(code)) throw error;
    // Its folder belongs to another user, or the file is a mount point.
    await Deno.writeTextFile(path, text, { create: false });
  }
}

async function renameOver(
  path: string,
  text: string,
  old: Deno.FileInfo | undefined,
): Promise<void> {
  const fresh = resolve(dirname(path), `.vsock-conformance-${crypto.randomUUID()}`);
  try {
    {
      using file = await Deno.open(fresh, { write: true, createNew: true });
      await writeAll(file, text);
    }
    if (old !== undefined) await keepOwner(fresh, old);
    await Deno.rename(fresh, path);
  } catch (error) {
    await unlessAbsent(Deno.remove(fresh));
    throw error;
  }
}

/** Gives a file the mode of another one, and its owner if permitted. */
async function keepOwner(path: string, { mode, uid, gid }: Deno.FileInfo): Promise<void> {
  if (mode !== null) await Deno.chmod(path, mode & 0o777);
  if (uid === Deno.uid() && gid === Deno.gid()) return;
  await Deno.chown(path, uid, gid).catch(() => {});
}

async function writeAll(file: Sink, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}
