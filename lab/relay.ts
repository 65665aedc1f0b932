/**
 * Work in steps that outlives the lab it is done in: where a translated lab fails without a word of
 * its kernels, another one begins the step anew that was under way.
 *
 * @module
 */
import { ConsoleWatch } from "./consoles.ts";
import { KernelDeathError, MishapError } from "./error.ts";
import type { OpenLab } from "./lab.ts";
import { whileAwake } from "./processors.ts";
import type { Progress } from "./progress.ts";

/** How often in a row labs may fail in the same step. */
const TRIES = 3;

/** What a step does; its signal is aborted where the lab is of no more use. */
export type Step<T> = (lab: OpenLab, signal: AbortSignal) => Promise<T>;

/** One lab after another, each opened when a step needs it. */
export class LabRelay implements AsyncDisposable {
  readonly #open: () => Promise<OpenLab>;
  readonly #progress: Pick<Progress, "say">;
  #lab: OpenLab | undefined;

  constructor(open: () => Promise<OpenLab>, progress: Pick<Progress, "say">) {
    this.#open = open;
    this.#progress = progress;
  }

  /** The lab for the next step. */
  async lab(): Promise<OpenLab> {
    return this.#lab ??= await this.#open();
  }

  /**
   * Takes a step. What one has found in a lab that then failed is nothing: it is taken again. A
   * kernel that died with a word is a finding, and ends the work.
   *
   * @param what the step is, for messages.
   * @param milliseconds it may take in one lab.
   * @throws {KernelDeathError} quoting the kernel; {@linkcode MishapError} where labs keep failing;
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
      const inTime = (signal: AbortSignal) => lab.vm.during(what, milliseconds, body, signal);
      try {
        return await whileAwake(lab.address, stop, inTime);
      } catch (error) {
        if (!(error instanceof MishapError)) throw error;
        const words = await consoles.postMortem();
        if (words.length > 0) throw new KernelDeathError([...words, error.message].join("\n"));
        if (tries === TRIES) throw error;
        this.#progress.say(`${error.message.split("\n")[0]}; going on in another lab`);
        await this[Symbol.asyncDispose]();
      }
    }
  }

  /** Ends the lab that there is. */
  async [Symbol.asyncDispose](): Promise<void> {
    const lab = this.#lab;
    this.#lab = undefined;
    await lab?.[Symbol.asyncDispose]();
  }
}
