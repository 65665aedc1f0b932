/**
 * Timers of the kernel's that send signals, timer_create(2).
 *
 * @module
 */
import { CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGEV_THREAD_ID, SIGKILL } from "./constants.ts";
import { SysError } from "./errno.ts";
import { call } from "./libc.ts";
import { bytes } from "./structs.ts";

/** struct sigevent: value, signal, how to notify, thread. */
const SIGEVENT_SIZE = 64;
/** struct itimerspec: interval and first expiry, each a struct timespec. */
const ITIMERSPEC_SIZE = 32;

/** Whom the signal is sent to: the process, or the thread that made the timer. */
export type Receiver = "process" | "thread";

/** A timer that sends a signal once, when it is set; deleted when disposed of. */
export class Timer implements Disposable {
  readonly #timer: bigint;

  /** @throws {SysError} EAGAIN, ... */
  constructor(signal: number, to: Receiver) {
    const event = bytes(SIGEVENT_SIZE);
    const how = to === "thread" ? [SIGEV_THREAD_ID, call("gettid")] : [SIGEV_SIGNAL];
    new Int32Array(event.buffer).set([signal, ...how], 2);
    const timer = bytes(8);
    const created = call("timer_create", CLOCK_MONOTONIC, event, timer);
    if (created < 0) throw new SysError("timer_create()", -created);
    this.#timer = new DataView(timer.buffer).getBigUint64(0, true);
  }

  /**
   * Sets it, from now on.
   *
   * @throws {SysError} EINVAL where the nanoseconds are a second or more.
   */
  set(seconds: number, nanoseconds: number): void {
    const setting = bytes(ITIMERSPEC_SIZE);
    new BigUint64Array(setting.buffer).set([BigInt(seconds), BigInt(nanoseconds)], 2);
    const result = call("timer_settime", this.#timer, 0, setting, null);
    if (result < 0) throw new SysError(`timer_settime(${seconds}, ${nanoseconds})`, -result);
  }

  [Symbol.dispose](): void {
    call("timer_delete", this.#timer);
  }
}

/**
 * Kills this process unless it is disposed of in time, even where no thread of it can act any more:
 * SIGKILL waits for nobody.
 *
 * @param milliseconds from now on.
 */
export function killUnlessDone(milliseconds: number): Disposable {
  const timer = new Timer(SIGKILL, "process");
  timer.set(Math.floor(milliseconds / 1000), Math.round(milliseconds % 1000) * 1_000_000 % 1e9);
  return timer;
}
