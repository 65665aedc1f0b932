/**
 * Waiting for something that nothing announces: looked at again and again, until a deadline.
 *
 * @module
 */

/** How {@linkcode until} waits. */
export interface WaitOptions {
  /** How long, in milliseconds; without it, as long as the signal lets it. */
  readonly timeout?: number;
  /** The time between two looks, in milliseconds. */
  readonly pause: number;
  /** Each pause is twice as long as the one before, up to this one, in milliseconds. */
  readonly maxPause?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits until a look finds something. The last look begins after the deadline: where this process
 * was held up (a stopped VM, a busy machine), what came in time is still found.
 *
 * @param look gives what it finds; false or undefined where that is nothing yet. It is told whether
 * this is the last look.
 * @returns what was found; undefined where the time is over.
 * @throws whatever `look` throws; the reason of the signal, when that is aborted.
 */
export async function until<T>(
  look: (isLast: boolean) => Found<T> | Promise<Found<T>>,
  { timeout = Infinity, pause: first, maxPause = first, signal }: WaitOptions,
): Promise<T | undefined> {
  const deadline = performance.now() + timeout;
  for (let time = first;; time = Math.min(2 * time, maxPause)) {
    // The clock is read before the look: see above.
    const isLast = performance.now() >= deadline;
    const found = await look(isLast);
    if (found !== undefined && found !== false) return found;
    if (isLast) return undefined;
    await pause(time, signal);
  }
}

/** What a look finds. */
export type Found<T> = T | false | undefined;

/**
 * Waits for a time.
 *
 * @throws the reason of the signal at once, when that is aborted.
 */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const onAbort = () => resolve();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
  signal?.throwIfAborted();
}
