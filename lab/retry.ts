/**
 * Work in steps that outlives the lab it is done in: where an emulated lab is lost and no kernel
 * logged a reason, or it stalls, another lab repeats the step that was under way.
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

/** How often in a row labs may fail in the same step. */
const TRIES = 3;

/** What a step does; its signal is aborted when the lab can no longer be used. */
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
   * Takes a step, and again where the lab is lost: what a step found in such a lab does not count. A
   * kernel that died and logged why is a finding, and ends the work.
   *
   * @param what the step is, for messages.
   * @param milliseconds it may take in one lab.
   * @throws {KernelDeathError} quoting the kernel; {@linkcode VmLostError} where labs keep being lost;
   * {@linkcode LabError} where the step itself fails, its error being the cause.
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
        // A kernel that stalls may have logged that, and did not die of it.
        const words = loss instanceof VmStalledError ? [] : await consoles.postMortem();
        if (words.length > 0) throw new KernelDeathError([...words, loss.message].join("\n"));
        if (tries === TRIES) throw loss;
        this.#progress.log(`${loss.message.split("\n")[0]}; going on in another lab`);
        await this[Symbol.asyncDispose]();
      }
    }
  }

  /** The loss behind a step's error: a VM that stalls is known by its silence alone. */
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
