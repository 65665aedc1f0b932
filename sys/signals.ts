/**
 * Signals that a case is about: counted as they are delivered, and sent in the midst of a call.
 *
 * @module
 */
import { SA_RESTART } from "./constants.ts";
import { countSignal, restoreSignal, type SignalAction, signalCount } from "./libc.ts";
import { Timer } from "./timer.ts";

/** Counts the deliveries of a signal to this process, whose usual action is put off meanwhile. */
export class SignalCounter implements Disposable {
  readonly #signal: number;
  readonly #before: SignalAction;
  readonly #start: number;

  /**
   * Counts a signal from now on.
   *
   * @param signal its number, such as SIGPIPE.
   * @param flags sa_flags: SA_RESTART has a system call that it interrupts go on.
   */
  constructor(signal: number, flags: number = SA_RESTART) {
    this.#signal = signal;
    this.#start = signalCount(signal);
    this.#before = countSignal(signal, flags);
  }

  /** How often the signal was delivered since the counter was made. */
  get count(): number {
    return signalCount(this.#signal) - this.#start;
  }

  /** Counts no more. */
  [Symbol.dispose](): void {
    restoreSignal(this.#signal, this.#before);
  }
}

/** A real-time signal: SIGUSR1, which the kernel's tests use, opens the debugger of Deno. */
const ALARM_SIGNAL = 45;
/**
 * Interrupts the thread that made it at a set time, timer_create(2), whatever call it is in; the
 * handler of the signal counts and does nothing else.
 */
export class Alarm implements Disposable {
  readonly #counter = new SignalCounter(ALARM_SIGNAL);
  readonly #timer = new Timer(ALARM_SIGNAL, "thread");

  /** Sets it to go off once, in more than 0 and less than a million microseconds. */
  set(microseconds: number): void {
    this.#timer.set(0, Math.ceil(microseconds * 1000));
  }

  /** How often it went off. */
  get count(): number {
    return this.#counter.count;
  }

  /** Disarms it. */
  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    this.#counter[Symbol.dispose]();
  }
}
