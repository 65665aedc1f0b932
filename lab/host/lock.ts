/**
 * Locks between processes: whoever has one of a name works alone. The kernel releases it when the
 * process ends, however that ends.
 *
 * @module
 */
import { pause } from "../../core/wait.ts";

/** How long after each other a waiting process looks again, in milliseconds. */
const PAUSE = 50;

/** A lock that this process has; released when disposed of. */
export type Lock = AsyncDisposable;

/**
 * Takes a lock, if nobody has it.
 *
 * @param file that stands for it; it is removed with the lock.
 */
export async function tryLock(file: string): Promise<Lock | undefined> {
  for (;;) {
    const handle = await Deno.open(file, { read: true, write: true, create: true, mode: 0o600 });
    let lock: Lock | undefined;
    try {
      if (!await handle.tryLock(true)) return undefined;
      // Whoever had it may have removed the file after it was opened here.
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
 * Takes a lock, and waits for as long as another process has it.
 *
 * @param what is done with it, for messages.
 * @param onWait is told once that it is waited for, and for whom.
 * @throws the reason of `signal`, when that is aborted.
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
