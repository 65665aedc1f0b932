/**
 * The lines that the two sides of a case exchange, independent of the protocol.
 *
 * @module
 */
import { ProtocolError } from "./wire.ts";

/** Exchanges lines with the other side of a case. */
export interface CaseLines {
  /** Writes a line to the other side. */
  write(line: string): Promise<void>;
  /**
   * Waits for the next line.
   *
   * @throws the reason of `signal`, if it is aborted first.
   */
  read(signal: AbortSignal): Promise<string>;
}

/** The maximum number and memory of unread lines; a case exchanges a few hundred short ones. */
const MAX_WAITING = 4096;
const MAX_WAITING_BYTES = 1024 * 1024;
/** The maximum memory of a character, in bytes. */
const CHARACTER = 2;

/** A queue of lines, for which a reader can wait. */
export class LineQueue {
  readonly #lines: string[] = [];
  #bytes = 0;
  #arrived = Promise.withResolvers<void>();

  /**
   * Adds a line that has arrived.
   *
   * @throws {ProtocolError} if too many lines are unread.
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

  /** Waits for the next line; rejects with the reason of `signal` if that is aborted first. */
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

/** Waits for a promise; rejects with the reason of `signal` if that is aborted first. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    // The race also handles a later rejection of the other promise.
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
