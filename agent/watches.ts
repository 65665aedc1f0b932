/**
 * Watches a side's kernel: its log, and leaks.
 *
 * @module
 */
import type { Role } from "../core/case.ts";
import type { EndFacts, LeakFacts } from "../core/event.ts";
import type { SideReport, SideState } from "../core/outcome.ts";
import { reasonOf } from "../core/error.ts";
import { NOTHING_LEFT } from "../core/parallel_leaks.ts";
import type { SideRunner } from "./session.ts";
import { VMADDR_CID_LOCAL } from "../sys/constants.ts";
import { type KernelRecord, KernelWatch } from "./kernel_log_watch.ts";
import { LeakWatch } from "./leak_watch.ts";
import { isOfVsock, type SideSettings } from "./settings.ts";

/** How an end's kernel is watched, as reported to the controller. */
export type Watched = Pick<EndFacts, "unwatched" | "leaks">;

/** The watches on a side's kernel: its log, and leaks. */
export class Watches implements Disposable {
  readonly log: KernelWatch;
  readonly leaks: LeakWatch;

  constructor(log: KernelWatch, leaks: LeakWatch) {
    this.log = log;
    this.leaks = leaks;
  }

  /**
   * Begins to watch the kernel, unless the settings choose the stand-in.
   *
   * @param record what a previous process knew about it.
   */
  static async open(
    settings: SideSettings,
    record?: KernelRecord,
  ): Promise<Watches> {
    const { exclusive = false, peerCid } = settings;
    return isOfVsock(settings)
      ? new Watches(
        KernelWatch.open({ record }),
        await LeakWatch.machine(exclusive, peerCid === VMADDR_CID_LOCAL),
      )
      : new Watches(KernelWatch.none(), await LeakWatch.none());
  }

  /** What {@linkcode open} would watch, without beginning to. */
  static async possible(settings: SideSettings): Promise<Watched> {
    if (!isOfVsock(settings)) return {};
    using log = KernelWatch.open();
    return watchedBy(log, await LeakWatch.possible(settings.exclusive ?? false));
  }

  /** What is watched. */
  get watched(): Watched {
    return watchedBy(this.log, this.leaks.facts);
  }

  /**
   * Wraps a runner so that its reports contain what the watches saw, and that it looks for leaks if
   * a controller asks for that.
   *
   * @param onBegin called when the faults from before a side are known.
   */
  around(runSide: SideRunner, onBegin?: () => void): SideRunner {
    const watched = this.log.around(runSide, onBegin);
    return (order) => order.id === NOTHING_LEFT.id ? this.#look(order.role) : watched(order);
  }

  /** Looks for leaks of the previous sides; faults in the log up to now are theirs, too. */
  async #look(role: Role): Promise<SideReport> {
    const started = performance.now();
    const report = (state: SideState, reasons: readonly string[], found: Partial<SideReport>) => {
      const { splats = [], ...rest } = found;
      const faults = [...this.log.look(), ...splats];
      const { harm } = this.log;
      return {
        ...{ state, reasons, step: "", milliseconds: Math.round(performance.now() - started) },
        ...rest,
        ...(faults.length === 0 ? {} : { splats: faults }),
        ...(harm === undefined ? {} : { harm }),
      };
    };
    try {
      return report("pass", [], await this.leaks.look(role));
    } catch (error) {
      return report("broken", [`the leak check failed: ${reasonOf(error)}`], {});
    }
  }

  [Symbol.dispose](): void {
    this.log[Symbol.dispose]();
  }
}

function watchedBy({ unwatched }: KernelWatch, leaks: LeakFacts | undefined): Watched {
  return {
    ...(unwatched === undefined ? {} : { unwatched }),
    ...(leaks === undefined ? {} : { leaks }),
  };
}
