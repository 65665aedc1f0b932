/**
 * The lines that the two sides of one case exchange, whichever protocol carries them.
 *
 * @module
 */
import { ProtocolError } from "./wire.ts";

/** Sends lines to the other side of a case and takes its lines. */
export interface CaseLines {
  /** Writes a line to the other side. */
  write(line: string): Promise<void>;
  /**
   * The next line.
   *
   * @throws the reason of `signal`, when it is aborted first.
   */
  read(signal: AbortSignal): Promise<string>;
}

/** Most lines that may wait unread, and the most memory; a case exchanges a few hundred short ones. */
const MAX_WAITING = 4096;
const MAX_WAITING_BYTES = 1024 * 1024;
/** Bytes of memory that a character takes at most. */
const CHARACTER = 2;

/** Lines that arrive one by one and are waited for. */
export class LineQueue {
  readonly #lines: string[] = [];
  #bytes = 0;
  #arrived = Promise.withResolvers<void>();

  /**
   * Takes a line that arrived.
   *
   * @throws {ProtocolError} where nobody reads and too many wait.
   */
  push(line: string): void {
    if (this.#lines.length >= MAX_WAITING) {
      throw new ProtocolError(`the peer sent more than ${MAX_WAITING} lines that no case reads`);
    }
    const bytes = CHARACTER * line.length;
    if (this.#bytes + bytes > MAX_WAITING_BYTES) {
      throw new ProtocolError("the peer sent more than 1 MB of lines that no case reads");
    }
    this.#bytes += bytes;
    this.#lines.push(line);
    this.#arrived.resolve();
  }

  /** Waits for the next line; rejects with the reason of `signal` when that is aborted first. */
  async read(signal: AbortSignal): Promise<string> {
    while (this.#lines.length === 0) {
      await unlessAborted(this.#arrived.promise, signal);
      this.#arrived = Promise.withResolvers<void>();
    }
    const line = this.#lines.shift() ?? "";
    this.#bytes -= CHARACTER * line.length;
    return line;
  }
}

/** Waits for a promise; rejects with the reason of `signal` when that is aborted first. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    // The race also takes the rejection of the promise that is no longer waited for.
    return await Promise.race([aborted.promise, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Whether a promise settles within a time, in milliseconds. */
export async function settledWithin(
  promise: Promise<void>,
  milliseconds: number,
): Promise<boolean> {
  if (milliseconds === Infinity) {
    await promise;
    return true;
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.max(0, milliseconds));
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
