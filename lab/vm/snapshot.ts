/**
 * Booted labs, kept: the state of a VM whose agents listen, in the cache, from which another one is
 * there in a second or two, as clean as one that was booted.
 *
 * It is what QEMU would send to another QEMU (migration), in a file that nobody writes to again, so
 * that any number of labs may start from it at once. The restored VM has the same devices, and
 * sockets, ports and files of its own: those are not part of a VM's state.
 *
 * @module
 */
import { pause, until } from "../../core/wait.ts";
import { reasonOf } from "../../core/error.ts";
import {
  cacheFolder,
  lockFile,
  removeIfThere,
  removeStale,
  requireSpace,
  sha256,
  sha256Text,
} from "../host/cache.ts";
import { Qmp } from "../../control/qmp.ts";
import { LabError } from "../error.ts";
import { tryLock } from "../host/lock.ts";
import { shellWord } from "../host/command.ts";

/** Changes when what a snapshot must be like does. */
const LAYOUT = 1;
/** How many are kept: each has some hundred MB. */
const KEPT = 4;
/** How long a VM's state may take to be written, in milliseconds. */
const SAVE_TIME = 60_000;
/** The time between two questions to the monitor, in milliseconds. */
const PAUSE = 20;
/** Bytes per second: as fast as it goes. */
const UNLIMITED = 2 ** 40;

/** A place in the cache for the state of one kind of lab. */
export class Snapshot {
  readonly #key: string;

  /** @param key names all that the state depends on, see {@linkcode snapshotKey}. */
  constructor(key: string) {
    this.#key = key;
  }

  async #file(): Promise<string> {
    return `${await cacheFolder("snapshots")}/${this.#key}.state`;
  }

  /** Whether there is one. */
  async exists(): Promise<boolean> {
    return await Deno.stat(await this.#file()).then(() => true, () => false);
  }

  /** What QEMU is told to start from it, besides the arguments of the VM that was saved. */
  async arguments(): Promise<string[]> {
    const file = await this.#file();
    const now = new Date();
    // The oldest ones are thrown away by when they were last used.
    await Deno.utime(file, now, now);
    return ["-incoming", `exec:cat ${shellWord(file)}`];
  }

  /** Throws it away: it does not work. */
  async discard(): Promise<void> {
    await removeIfThere(await this.#file());
  }

  /**
   * Saves the state of a VM, which stands still for the end of that. It must be running before: a
   * state remembers that, too. Where another process is saving such a VM, this one need not be.
   *
   * @param socket of its monitor.
   * @throws {LabError} where it cannot be saved; the VM goes on.
   */
  async save(socket: string): Promise<void> {
    await requireSpace();
    const folder = await cacheFolder("snapshots");
    await using lock = await tryLock(await lockFile(`snapshots/${this.#key}`));
    if (lock === undefined || await this.exists()) return;
    const prefix = `${this.#key}.making-`;
    await removeStale(folder, prefix);
    const making = `${folder}/${prefix}${crypto.randomUUID()}`;
    try {
      using monitor = await Qmp.connect(socket);
      try {
        await monitor.execute("migrate-set-parameters", { "max-bandwidth": UNLIMITED });
        await monitor.execute("migrate", { uri: `exec:cat > ${shellWord(making)}` });
        await completion(monitor);
      } finally {
        await monitor.execute("cont");
      }
      await Deno.rename(making, await this.#file());
    } finally {
      await removeIfThere(making);
    }
    await removeOldest(folder);
  }
}

/**
 * Waits until a VM that was started from a snapshot runs: what connects to it before that is lost.
 *
 * @param socket of its monitor.
 */
export async function restored(socket: string, signal: AbortSignal): Promise<void> {
  using monitor = await connectMonitor(socket, signal);
  await until(async () => {
    const { status } = await monitor.execute("query-status") as { readonly status: string };
    if (status === "running") return true;
    if (status !== "inmigrate") throw new LabError(`the restored VM is ${status}`);
  }, { pause: PAUSE, signal });
}

/** A monitor, as soon as QEMU has made its socket. */
async function connectMonitor(socket: string, signal: AbortSignal): Promise<Qmp> {
  for (;;) {
    try {
      return await Qmp.connect(socket);
    } catch (error) {
      const early = error instanceof Deno.errors.NotFound ||
        error instanceof Deno.errors.ConnectionRefused;
      if (!early) throw error;
      await pause(PAUSE, signal);
    }
  }
}

/** Waits until a VM's state is written. */
async function completion(monitor: Qmp): Promise<void> {
  const isSaved = await until(async () => {
    const { status, "error-desc": why } = await monitor.execute("query-migrate") as {
      readonly status?: string;
      readonly "error-desc"?: string;
    };
    if (status === "completed") return true;
    if (status === "failed" || status === "cancelled") {
      throw new LabError(`QEMU cannot save the VM: ${why ?? status}`);
    }
  }, { timeout: SAVE_TIME, pause: PAUSE });
  if (isSaved) return;
  await monitor.execute("migrate_cancel");
  throw new LabError(`QEMU had not saved the VM after ${SAVE_TIME / 1000} s`);
}

async function removeOldest(folder: string): Promise<void> {
  const files: (readonly [path: string, used: number])[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".state")) continue;
    // Another process may have thrown it away just now.
    const info = await Deno.stat(`${folder}/${name}`).catch(() => undefined);
    files.push([`${folder}/${name}`, info?.mtime?.getTime() ?? 0]);
  }
  const old = files.sort(([, a], [, b]) => b - a).slice(KEPT);
  for (const [path] of old) await removeIfThere(path);
}

/**
 * Names a VM's state by all that it depends on.
 *
 * @param qemu what QEMU says of its version.
 * @param args its arguments; files among them by names that stand for what is in them.
 * @param files the kernel's file, and one that tells the disk from others of its name.
 * @param initrd what the VM unpacks into its memory.
 */
export async function snapshotKey(
  qemu: string,
  args: readonly string[],
  files: readonly string[],
  initrd: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", initrd));
  const sums = await Promise.all(files.map(sha256));
  const text = JSON.stringify([LAYOUT, qemu, args, sums, [...digest]]);
  return (await sha256Text(text)).slice(0, 16);
}

/** Why something went wrong with a snapshot, on one line. */
export function snapshotTrouble(error: unknown): string {
  return reasonOf(error).split("\n")[0] ?? "";
}
