/**
 * Watches this machine's kernel log while sides of cases run here, and adds the faults that the
 * kernel reports to the side's report.
 *
 * @module
 */
import type { SideReport } from "../core/outcome.ts";
import { findSplats, markEarlier, type Splat } from "../core/splat.ts";
import type { SideRunner } from "../peer/agent.ts";
import { SysError } from "../sys/errno.ts";
import { KernelLog } from "../sys/kernel_log.ts";

/** Most faults in one report, which must fit a control line. */
const MAX_SPLATS = 8;

/** A log that outgrows its buffer within a case hides what was in it. */
const OVERRUN = "so much that its log overran: a fault may have been lost";

/** Faults of this kernel from one look at its log to the next. */
export class KernelWatch implements Disposable {
  readonly #log: KernelLog | undefined;
  /** What was found for each side that runs now. */
  readonly #running = new Set<Splat[]>();
  /** Why the log is not watched, where it is not. */
  readonly unwatched: string | undefined;

  private constructor(log: KernelLog | undefined, unwatched?: string) {
    this.#log = log;
    this.unwatched = unwatched;
  }

  /**
   * Begins to watch, at the end of the log or behind a record that an earlier process read. Where
   * that is not permitted, it says why.
   */
  static open(after?: number, path?: string): KernelWatch {
    try {
      return new KernelWatch(KernelLog.open(after, path));
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return new KernelWatch(undefined, error.message);
    }
  }

  /** One that watches nothing: the stand-in tries no kernel. */
  static none(): KernelWatch {
    return new KernelWatch(undefined);
  }

  /** The record up to which the log was read; undefined where nothing was. */
  get newest(): number | undefined {
    return this.#log?.newest;
  }

  /** The faults that were reported since the last look. What could not be read is one, too. */
  look(): Splat[] {
    try {
      const { lines, overrun } = this.#log?.read() ?? { lines: [], overrun: false };
      return overrun ? [...findSplats(lines), [OVERRUN]] : findSplats(lines);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return [[`nothing can be known: ${error.message}`]];
    }
  }

  /**
   * A runner whose reports carry the faults that came while it ran; a fault that came while several
   * sides ran is told by each, since nobody knows whose it is. One that came after the case before
   * had ended is this case's, marked, so that none is lost: it may be that case's late end.
   */
  around(runSide: SideRunner): SideRunner {
    return async (order): Promise<SideReport> => {
      const mine: Splat[] = this.#running.size > 0 ? [] : this.look().map(markEarlier);
      this.#share();
      this.#running.add(mine);
      const report = await runSide(order).finally(() => {
        this.#share();
        this.#running.delete(mine);
      });
      const splats = bounded(mine, report.splats);
      return splats.length === 0 ? report : { ...report, splats };
    };
  }

  /** Gives what was reported since the last look to all that run. */
  #share(): void {
    if (this.#running.size === 0) return;
    const found = this.look();
    for (const splats of this.#running) splats.push(...found);
  }

  [Symbol.dispose](): void {
    this.#log?.[Symbol.dispose]();
  }
}

/** As many as fit; of what the log told and of what was left behind, some each. */
function bounded(logged: readonly Splat[], leaks: readonly Splat[] = []): Splat[] {
  const room = MAX_SPLATS - Math.min(leaks.length, MAX_SPLATS / 2);
  return [...logged.slice(0, room), ...leaks].slice(0, MAX_SPLATS);
}
