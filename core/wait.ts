/**
 * Polls for a condition until a deadline.
 *
 * @module
 */

/** Options of {@linkcode until}. */
export interface WaitOptions {
  /** The timeout in milliseconds; by default only the signal ends the wait. */
  readonly timeout?: number;
  /** The time between two checks, in milliseconds. */
  readonly pause: number;
  /** If given, each pause is twice as long as the previous one, up to this many milliseconds. */
  readonly maxPause?: number;
  /** Ends the wait if aborted. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits until a check finds something. The last check begins after the deadline, so that events
 * that happened in time are found even if this process was delayed (a stopped VM, a busy machine).
 *
 * @param look returns what it finds; false or undefined if that is nothing yet. Its argument says
 * whether this is the last check.
 * @returns what was found; undefined after the deadline.
 * @throws what `look` throws; the reason of the signal, if that is aborted.
 */
export async function until<T>(
  look: (isLast: boolean) => Found<T> | Promise<Found<T>>,
  { timeout = Infinity, pause: first, maxPause = first, signal }: WaitOptions,
): Promise<T | undefined> {
  const deadline = performance.now() + timeout;
  for (let time = first;; time = Math.min(2 * time, maxPause)) {
    // Read the clock before the check, see above.
    const isLast = performance.now() >= deadline;
    const found = await look(isLast);
    if (found !== undefined && found !== false) return found;
    if (isLast) return undefined;
    await pause(time, signal);
  }
}

/** The result of a check. */
export type Found<T> = T | false | undefined;

/**
 * Waits for a time.
 *
 * @throws the reason of the signal, as soon as that is aborted.
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
