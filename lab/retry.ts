/**
 * Runs work in steps that survive the loss of a lab: if an emulated lab stalls, or is lost without
 * a kernel logging a reason, the current step is repeated in another lab.
 *
 * @module
 */
import { reasonOf } from "../core/error.ts";
import { ConsoleWatch } from "./vm/consoles.ts";
import { silentVms } from "./connect.ts";
import { KernelDeathError, VmLostError, VmStalledError } from "./error.ts";
import type { Lab } from "./lab.ts";
import { withStallWatch } from "./vm/stall_watch.ts";
import type { Progress } from "./progress.ts";

/** How many labs may be lost in the same step. */
const TRIES = 3;

/** A step; its signal is aborted when the lab can no longer be used. */
export type Step<T> = (lab: Lab, signal: AbortSignal) => Promise<T>;

/** One lab after another, each started when a step needs it. */
export class RetryingLab implements AsyncDisposable {
  readonly #start: () => Promise<Lab>;
  readonly #progress: Pick<Progress, "log">;
  #lab: Lab | undefined;

  /** @param start starts a lab. */
  constructor(start: () => Promise<Lab>, progress: Pick<Progress, "log">) {
    this.#start = start;
    this.#progress = progress;
  }

  /** The lab for the next step. */
  async lab(): Promise<Lab> {
    return this.#lab ??= await this.#start();
  }

  /**
   * Runs a step, and repeats it if the lab is lost: results from such a lab do not count. A kernel
   * that died and logged why is a finding, and ends the work.
   *
   * @param what the step's name, for messages.
   * @param milliseconds how long it may take in one lab.
   * @throws {KernelDeathError} quoting the kernel; {@linkcode VmLostError} if one lab after the
   * other is lost; {@linkcode LabError} if the step itself fails, with its error as the cause.
   */
  async run<T>(
    what: string,
    milliseconds: number,
    step: Step<T>,
    stop: AbortSignal,
  ): Promise<T> {
    for (let tries = 1;; tries++) {
      const lab = await this.lab();
      const consoles = await ConsoleWatch.begin(lab.address);
      const body = (signal: AbortSignal) => step(lab, signal);
      const inTime = (signal: AbortSignal) =>
        lab.recovery.vm.during(what, milliseconds, body, signal);
      try {
        return await withStallWatch(lab.address, stop, inTime);
      } catch (error) {
        stop.throwIfAborted();
        const loss = await this.#lossBehind(error, lab);
        if (loss === undefined) throw error;
        // A stalled kernel may have logged that, but it did not die.
        const words = loss instanceof VmStalledError ? [] : await consoles.postMortem();
        if (words.length > 0) throw new KernelDeathError([...words, loss.message].join("\n"));
        if (tries === TRIES) throw loss;
        this.#progress.log(`${loss.message.split("\n")[0]}; continuing in another lab`);
        await this[Symbol.asyncDispose]();
      }
    }
  }

  /**
   * The loss that caused a step's error, if any: a stalled VM is recognized only by its silence.
   */
  async #lossBehind(error: unknown, lab: Lab): Promise<VmLostError | undefined> {
    if (error instanceof VmLostError) return error;
    const silent = await silentVms(lab.address);
    if (silent.length === 0) return undefined;
    const why = reasonOf(error).split("\n")[0];
    const text = `the ${silent.join(" and the ")} no longer responds (${why})`;
    return new VmStalledError(await lab.recovery.vm.explain(text), { cause: error });
  }

  /** Ends the current lab. */
  async [Symbol.asyncDispose](): Promise<void> {
    const lab = this.#lab;
    this.#lab = undefined;
    await lab?.[Symbol.asyncDispose]();
  }
}
