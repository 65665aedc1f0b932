/**
 * What watches a side's kernel: its log, and what its cases leave behind.
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
import type { SideSettings } from "./settings.ts";

/** What an end says of how its kernel is watched. */
export type Watched = Pick<EndFacts, "unwatched" | "leaks">;

/** What watches the kernel of a side: its log, and what it leaks. */
export class Watches implements Disposable {
  readonly log: KernelWatch;
  readonly leaks: LeakWatch;

  constructor(log: KernelWatch, leaks: LeakWatch) {
    this.log = log;
    this.leaks = leaks;
  }

  /**
   * Begins to watch the kernel whose sockets the settings choose.
   *
   * @param record what an earlier process knew of it.
   */
  static async open(
    { standIn, exclusive = false, peerCid }: SideSettings,
    record?: KernelRecord,
  ): Promise<Watches> {
    return standIn === undefined
      ? new Watches(
        KernelWatch.open({ record }),
        await LeakWatch.machine(exclusive, peerCid === VMADDR_CID_LOCAL),
      )
      : new Watches(KernelWatch.none(), await LeakWatch.none());
  }

  /** What {@linkcode open} would watch; begins nothing. */
  static async possible({ standIn, exclusive = false }: SideSettings): Promise<Watched> {
    if (standIn !== undefined) return {};
    using log = KernelWatch.open();
    return watchedBy(log, await LeakWatch.possible(exclusive));
  }

  /** What is watched. */
  get watched(): Watched {
    return watchedBy(this.log, this.leaks.facts);
  }

  /**
   * A runner whose reports carry what was seen meanwhile, and that looks for leaks where it is told to.
   *
   * @param onBegin called when what came before a side is known.
   */
  around(runSide: SideRunner, onBegin?: () => void): SideRunner {
    const watched = this.log.around(runSide, onBegin);
    return (order) => order.id === NOTHING_LEFT.id ? this.#look(order.role) : watched(order);
  }

  /** Looks at what the sides before have left: what the log has by now is of those, too. */
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
