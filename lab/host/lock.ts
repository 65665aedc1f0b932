/**
 * Locks between processes, by name. The kernel releases a lock when its process ends, for whatever
 * reason.
 *
 * @module
 */
import { pause } from "../../core/wait.ts";

/** The interval at which a waiting process retries, in milliseconds. */
const PAUSE = 50;

/** A lock held by this process; released when disposed of. */
export type Lock = AsyncDisposable;

/**
 * Takes a lock, unless another process holds it.
 *
 * @param file the lock's file, which is removed when the lock is released.
 */
export async function tryLock(file: string): Promise<Lock | undefined> {
  for (;;) {
    const handle = await Deno.open(file, { read: true, write: true, create: true, mode: 0o600 });
    let lock: Lock | undefined;
    try {
      if (!await handle.tryLock(true)) return undefined;
      // The previous holder may have removed the file after it was opened here.
      const [mine, there] = [await handle.stat(), await Deno.stat(file).catch(() => undefined)];
      if (mine.ino !== there?.ino || mine.dev !== there.dev) continue;
      await handle.truncate();
      await handle.write(new TextEncoder().encode(`${Deno.pid}`));
      return lock = {
        async [Symbol.asyncDispose]() {
          await Deno.remove(file).catch(() => {});
          handle.close();
        },
      };
    } finally {
      if (lock === undefined) handle.close();
    }
  }
}

/**
 * Takes a lock, and waits while another process holds it.
 *
 * @param what the lock's purpose, for messages.
 * @param onWait receives a message, once, with the process that holds it.
 * @throws the reason of `signal`, if it is aborted.
 */
export async function takeLock(
  file: string,
  what: string,
  signal: AbortSignal | undefined,
  onWait: (text: string) => void,
): Promise<Lock> {
  for (let isFirst = true;; isFirst = false) {
    signal?.throwIfAborted();
    const lock = await tryLock(file);
    if (lock !== undefined) return lock;
    if (isFirst) {
      const pid = (await Deno.readTextFile(file).catch(() => "")).trim();
      onWait(
        `waiting until ${pid === "" ? "another process" : `process ${pid}`} is done with ${what}`,
      );
    }
    await pause(PAUSE, signal);
  }
}
