/**
 * How long something took, on a machine that stands still now and then.
 *
 * @module
 */

/** Between two looks at whether this process runs, in milliseconds. */
const TICK = 10;

/** Time in which this process ran since it was made. */
export class RunningTime implements Disposable {
  #ticks = 0;
  readonly #timer = setInterval(() => this.#ticks++, TICK);

  /**
   * In milliseconds, at most what a clock shows: time for which the machine let the process wait is
   * one tick, however long it was.
   */
  get passed(): number {
    return this.#ticks * TICK;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
