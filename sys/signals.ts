/**
 * Signals that a case is about: counted as they are delivered, and sent in the midst of a call.
 *
 * @module
 */
import { CLOCK_MONOTONIC, SA_RESTART, SIGEV_THREAD_ID } from "./constants.ts";
import { SysError } from "./errno.ts";
import { call, countSignal, restoreSignal, type SignalAction, signalCount } from "./native.ts";
import { bytes } from "./structs.ts";

/** Counts the deliveries of a signal to this process, whose usual action is put off meanwhile. */
export class SignalCounter implements Disposable {
  readonly #signal: number;
  readonly #before: SignalAction;
  readonly #start: number;

  /** @param signal its number, such as SIGPIPE. */
  constructor(signal: number) {
    this.#signal = signal;
    this.#start = signalCount(signal);
    this.#before = countSignal(signal, SA_RESTART);
  }

  /** How often the signal was delivered since the counter was made. */
  get count(): number {
    return signalCount(this.#signal) - this.#start;
  }

  [Symbol.dispose](): void {
    restoreSignal(this.#signal, this.#before);
  }
}

/** A real-time signal: SIGUSR1, which the kernel's tests use, opens the debugger of Deno. */
const ALARM_SIGNAL = 45;
/** struct sigevent: value, signal, how to notify, thread. */
const SIGEVENT_SIZE = 64;
/** struct itimerspec: interval and first expiry, each a struct timespec. */
const ITIMERSPEC_SIZE = 32;

/**
 * Interrupts the thread that made it at a set time, timer_create(2), whatever call it is in; the
 * handler of the signal counts and does nothing else.
 */
export class Alarm implements Disposable {
  readonly #counter = new SignalCounter(ALARM_SIGNAL);
  readonly #timer: bigint;

  /** @throws {SysError} EAGAIN, ... */
  constructor() {
    const event = bytes(SIGEVENT_SIZE);
    new Int32Array(event.buffer).set([ALARM_SIGNAL, SIGEV_THREAD_ID, call("gettid")], 2);
    const timer = bytes(8);
    const created = call("timer_create", CLOCK_MONOTONIC, event, timer);
    if (created < 0) throw new SysError("timer_create()", -created);
    this.#timer = new DataView(timer.buffer).getBigUint64(0, true);
  }

  /** Sets it to go off once, in more than 0 and less than a million microseconds. */
  set(microseconds: number): void {
    const setting = bytes(ITIMERSPEC_SIZE);
    new BigUint64Array(setting.buffer)[3] = BigInt(Math.ceil(microseconds * 1000));
    const result = call("timer_settime", this.#timer, 0, setting, null);
    if (result < 0) throw new SysError(`timer_settime(${microseconds} us)`, -result);
  }

  /** How often it went off. */
  get count(): number {
    return this.#counter.count;
  }

  [Symbol.dispose](): void {
    call("timer_delete", this.#timer);
    this.#counter[Symbol.dispose]();
  }
}
