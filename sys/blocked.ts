/**
 * Calls that block on a thread of their own, for what ends them: a signal to that thread, or
 * whatever another thread does to the same socket.
 *
 * @module
 */
import { call, newestCall, type ThreadCall, timedSleep } from "./libc.ts";
import { SysError } from "./errno.ts";

/** Within so many milliseconds a call that blocks sleeps in the kernel, on any machine. */
const PATIENCE = 20_000;
/** A real-time signal that nothing else uses, for {@linkcode Blocked.interrupt}. */
export const INTERRUPT_SIGNAL = 46;

/** One call that blocks. */
export class Blocked<T> {
  /** What comes of it. */
  readonly result: Promise<T>;
  readonly #call: ThreadCall;
  #ended = false;

  /**
   * Begins a call.
   *
   * @param begin makes one call that blocks, before it awaits anything.
   */
  constructor(begin: () => Promise<T>) {
    const before = newestCall();
    this.result = begin();
    const newest = newestCall();
    if (newest === undefined || newest === before) {
      throw new TypeError("Cannot watch a call that does not begin at once");
    }
    this.#call = newest;
    const end = () => {
      this.#ended = true;
    };
    // Whoever awaits the result sees how it failed.
    this.result.then(end, end);
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Waits until its thread sleeps in the kernel.
   *
   * @returns false where it ended instead.
   * @throws {Error} where neither happens for a long time.
   */
  async sleeps(): Promise<boolean> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      if (this.#ended) return false;
      if (isAsleep(this.#call)) return true;
      if (performance.now() > deadline) {
        throw new Error(`a call neither sleeps nor ends after ${PATIENCE / 1000} s`);
      }
      await timedSleep(1);
    }
  }

  /**
   * Sends its thread INTERRUPT_SIGNAL, which a SignalCounter must be counting.
   *
   * @throws {SysError} ESRCH where the call has ended.
   */
  interrupt(): void {
    const result = call("tgkill", Deno.pid, this.#call.tid, INTERRUPT_SIGNAL);
    if (result < 0) throw new SysError("tgkill()", -result);
  }
}

/**
 * Whether a call's thread sleeps and can be woken, by the third word of its stat. A thread that has
 * nothing to do sleeps, too: what counts is that the call was still under way after the look.
 */
function isAsleep(underWay: ThreadCall): boolean {
  const { tid } = underWay;
  if (tid === 0) return false;
  try {
    const stat = Deno.readTextFileSync(`/proc/self/task/${tid}/stat`);
    const sleeps = stat.slice(stat.lastIndexOf(")") + 1).trimStart().startsWith("S");
    return sleeps && underWay.tid === tid;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
