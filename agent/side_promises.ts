/**
 * The promises of one side of a case. A side may hold a promise while it does something else. If
 * that is rejected before it is awaited, or after the side has ended, the rejection is unhandled
 * and would end the process. Instead it is kept for the side's report, or ignored after the report
 * was made.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate } from "node:timers";
import { reasonOf } from "../core/error.ts";

/** The side whose code is running, including code after an await. */
const current = new AsyncLocalStorage<SidePromises>();
/** The sides to which unhandled rejected promises belong. */
const holders = new WeakMap<Promise<unknown>, SidePromises>();
let isListening = false;

/** The promises that a side has begun, and their rejections. */
export class SidePromises {
  readonly #running = new Map<Promise<unknown>, string>();
  readonly #unhandled = new Map<Promise<unknown>, string>();
  #decided = false;

  /** Runs the side's code: rejections of promises that it begins belong to this side. */
  run<T>(body: () => T): T {
    listen();
    return current.run(this, body);
  }

  /** Adds a promise of the side: a call that may block, or a wait for the other side. */
  readonly begun = (what: string, promise: Promise<unknown>): void => {
    this.#running.set(promise, what);
    const ended = () => this.#running.delete(promise);
    promise.then(ended, ended);
  };

  /** The promises that are still pending, one line each. */
  get running(): string[] {
    return [...this.#running.values()];
  }

  /** The unhandled rejections, one line each. */
  get unhandled(): string[] {
    return [...this.#unhandled.values()];
  }

  /** The report has been made: rejections from now on are ignored. */
  decide(): void {
    this.#decided = true;
  }

  /** Waits until all promises have settled, for at most a time in milliseconds. */
  async settle(milliseconds: number): Promise<void> {
    if (this.#running.size === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise((resolve) => timer = setTimeout(resolve, milliseconds));
    await Promise.race([Promise.allSettled(this.#running.keys()), late]);
    clearTimeout(timer);
  }

  /** Adds a rejection that is not handled yet. */
  rejected(promise: Promise<unknown>, reason: unknown): void {
    if (this.#decided) return;
    this.#unhandled.set(promise, reasonOf(reason));
    holders.set(promise, this);
  }

  /** Removes a rejection that has been handled after all. */
  handled(promise: Promise<unknown>): void {
    this.#unhandled.delete(promise);
  }
}

/** Waits until the engine has reported all rejections that are unhandled by now. */
export function untilRejectionsAreKnown(): Promise<void> {
  // Not setTimeout(), which would take milliseconds for every side of every case.
  return new Promise((resolve) => setImmediate(resolve));
}

/** Handles rejections that belong to sides; those of other code end the process as usual. */
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
