/**
 * Snapshots of booted labs: the state of a VM whose agents listen is kept in the cache, and another
 * VM starts from it in a second or two, as clean as after a boot.
 *
 * A snapshot is a QEMU migration stream in a file that is never modified, so any number of labs can
 * start from it at the same time. A restored VM has the same devices, but its own sockets, ports
 * and files, which are not part of a VM's state.
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

/** To be incremented when older snapshots can no longer be used. */
const LAYOUT = 1;
/** The number of snapshots kept: each has several hundred MB. */
const KEPT = 4;
/** How long saving a VM may take, in milliseconds. */
const SAVE_TIME = 60_000;
/** The interval at which the monitor is polled, in milliseconds. */
const PAUSE = 20;
/** The bandwidth of a migration, in bytes per second: no limit. */
const UNLIMITED = 2 ** 40;

/** The snapshot of one kind of lab, which may not exist yet. */
export class Snapshot {
  readonly #key: string;

  /** @param key identifies everything that the state depends on, see {@linkcode snapshotKey}. */
  constructor(key: string) {
    this.#key = key;
  }

  async #file(): Promise<string> {
    return `${await cacheFolder("snapshots")}/${this.#key}.state`;
  }

  /** Whether it exists. */
  async exists(): Promise<boolean> {
    return await Deno.stat(await this.#file()).then(() => true, () => false);
  }

  /** QEMU's arguments to start from it, in addition to those of the VM that was saved. */
  async arguments(): Promise<string[]> {
    const file = await this.#file();
    const now = new Date();
    // The least recently used snapshots are removed first.
    await Deno.utime(file, now, now);
    return ["-incoming", `exec:cat ${shellWord(file)}`];
  }

  /** Removes it, because it does not work. */
  async discard(): Promise<void> {
    await removeIfThere(await this.#file());
  }

  /**
   * Saves the state of a VM, which is paused towards the end. It must be running, since that is
   * part of the state. If another process is saving the same kind of VM already, this does nothing.
   *
   * @param socket the monitor's socket.
   * @throws {LabError} if it cannot be saved; the VM continues.
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
 * Waits until a VM that was started from a snapshot runs: connections made before that are lost.
 *
 * @param socket the monitor's socket.
 */
export async function restored(socket: string, signal: AbortSignal): Promise<void> {
  using monitor = await connectMonitor(socket, signal);
  await until(async () => {
    const { status } = await monitor.execute("query-status") as { readonly status: string };
    if (status === "running") return true;
    if (status !== "inmigrate") throw new LabError(`the restored VM is ${status}`);
  }, { pause: PAUSE, signal });
}

/** Connects to a monitor as soon as QEMU has made its socket. */
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

/** Waits until a VM's state has been written. */
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
    // Another process may have just removed it.
    const info = await Deno.stat(`${folder}/${name}`).catch(() => undefined);
    files.push([`${folder}/${name}`, info?.mtime?.getTime() ?? 0]);
  }
  const old = files.sort(([, a], [, b]) => b - a).slice(KEPT);
  for (const [path] of old) await removeIfThere(path);
}

/**
 * A key made from everything that a VM's state depends on.
 *
 * @param qemu QEMU's version.
 * @param args its arguments, without paths that differ between labs.
 * @param files files whose contents matter: the kernel, and the id of the disk.
 * @param initrd the initramfs.
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

/** The reason that a snapshot failed, on one line. */
export function snapshotTrouble(error: unknown): string {
  return reasonOf(error).split("\n")[0] ?? "";
}
