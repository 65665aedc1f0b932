/**
 * The promises of one side of a case. A side may hold one while it does something else; where it
 * rejects before it is awaited, or after the side has ended, nobody handles that, which would end
 * the process. Here it is kept for the side's report instead, or ignored once that is decided.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate } from "node:timers";
import { reasonOf } from "../core/error.ts";

/** The side whose code runs now, also behind its awaits. */
const current = new AsyncLocalStorage<SidePromises>();
/** The side that holds a rejected promise which nobody handles. */
const holders = new WeakMap<Promise<unknown>, SidePromises>();
let isListening = false;

/** What a side has begun, and what has become of it. */
export class SidePromises {
  readonly #running = new Map<Promise<unknown>, string>();
  readonly #unhandled = new Map<Promise<unknown>, string>();
  #decided = false;

  /** Runs the code of the side: the rejections of all that it begins are this side's. */
  run<T>(body: () => T): T {
    listen();
    return current.run(this, body);
  }

  /** Takes what the side has begun: a call that may block, or a wait for the other side. */
  readonly begun = (what: string, promise: Promise<unknown>): void => {
    this.#running.set(promise, what);
    const ended = () => this.#running.delete(promise);
    promise.then(ended, ended);
  };

  /** What has been begun and has not ended, one line each. */
  get running(): string[] {
    return [...this.#running.values()];
  }

  /** The rejections that nobody has handled, one line each. */
  get unhandled(): string[] {
    return [...this.#unhandled.values()];
  }

  /** How the side ends is decided: what rejects from now on says nothing. */
  decide(): void {
    this.#decided = true;
  }

  /** Waits until all that has been begun has ended, for a bounded time in milliseconds. */
  async settle(milliseconds: number): Promise<void> {
    if (this.#running.size === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => timer = setTimeout(resolve, milliseconds));
    await Promise.race([Promise.allSettled(this.#running.keys()), late]);
    clearTimeout(timer);
  }

  /** Takes a rejection that nobody has handled yet. */
  rejected(promise: Promise<unknown>, reason: unknown): void {
    if (this.#decided) return;
    this.#unhandled.set(promise, reasonOf(reason));
    holders.set(promise, this);
  }

  /** Forgets a rejection that has been handled after all. */
  handled(promise: Promise<unknown>): void {
    this.#unhandled.delete(promise);
  }
}

/** Waits until rejections that nobody has handled by now are known. */
export function untilRejectionsAreKnown(): Promise<void> {
  // A timeout takes milliseconds, for every side of every case.
  return new Promise((resolve) => setImmediate(resolve));
}

/** Listens to the rejections of sides; those of other code end the process as ever. */
function listen(): void {
  if (isListening) return;
  isListening = true;
  addEventListener("unhandledrejection", (event) => {
    const side = current.getStore();
    if (side === undefined) return;
    event.preventDefault();
    side.rejected(event.promise, event.reason);
  });
  addEventListener("rejectionhandled", ({ promise }) => holders.get(promise)?.handled(promise));
}
