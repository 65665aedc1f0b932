/**
 * Work in steps that outlives the lab it is done in: where an emulated lab fails without a word of
 * its kernels, or stands still, another one begins the step anew that was under way.
 *
 * @module
 */
import type { EndFacts } from "../core/event.ts";
import { reasonOf } from "../core/error.ts";
import { ConsoleWatch } from "./vm/consoles.ts";
import { silentEnds } from "./connect.ts";
import { KernelDeathError, VmLostError, VmStalledError } from "./error.ts";
import type { OpenLab } from "./open.ts";
import { whileAwake } from "./vm/stall_watch.ts";
import type { Progress } from "./progress.ts";

/** How often in a row labs may fail in the same step. */
const TRIES = 3;

/** What a step does; its signal is aborted where the lab is of no more use. */
export type Step<T> = (lab: OpenLab, signal: AbortSignal) => Promise<T>;

/** One lab after another, each opened when a step needs it. */
export class LabRelay implements AsyncDisposable {
  readonly #open: () => Promise<OpenLab>;
  readonly #own: EndFacts;
  readonly #progress: Pick<Progress, "say">;
  #lab: OpenLab | undefined;

  /**
   * @param open opens a lab to whose agents nobody is connected.
   * @param own what the controller says of itself.
   */
  constructor(open: () => Promise<OpenLab>, own: EndFacts, progress: Pick<Progress, "say">) {
    this.#open = open;
    this.#own = own;
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
   * @throws {KernelDeathError} quoting the kernel; {@linkcode VmLostError} where labs keep failing;
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
        return await whileAwake(lab.address, stop, inTime);
      } catch (error) {
        stop.throwIfAborted();
        const mishap = await this.#mishapBehind(error, lab);
        if (mishap === undefined) throw error;
        // One that stands still may have complained of that, and did not die of it.
        const words = mishap instanceof VmStalledError ? [] : await consoles.postMortem();
        if (words.length > 0) throw new KernelDeathError([...words, mishap.message].join("\n"));
        if (tries === TRIES) throw mishap;
        this.#progress.say(`${mishap.message.split("\n")[0]}; going on in another lab`);
        await this[Symbol.asyncDispose]();
      }
    }
  }

  /** The mishap behind a step's error: a VM that stands still is known by its silence alone. */
  async #mishapBehind(error: unknown, lab: OpenLab): Promise<VmLostError | undefined> {
    if (error instanceof VmLostError) return error;
    const silent = await silentEnds(lab.address, this.#own);
    if (silent.length === 0) return undefined;
    const why = reasonOf(error).split("\n")[0];
    const text = `nothing comes from the ${silent.join(" and the ")} any more (${why})`;
    return new VmStalledError(await lab.recovery.vm.explain(text), { cause: error });
  }

  /** Ends the lab that there is. */
  async [Symbol.asyncDispose](): Promise<void> {
    const lab = this.#lab;
    this.#lab = undefined;
    await lab?.[Symbol.asyncDispose]();
  }
}
