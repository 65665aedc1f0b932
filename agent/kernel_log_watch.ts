/**
 * Watches this machine's kernel log and taint while sides of cases run, and adds to each side's
 * report the faults that the kernel reports, and the kernel's state.
 *
 * @module
 */
import type { SideReport } from "../core/outcome.ts";
import { findSplats, type Splat, splatEffect } from "../core/splat.ts";
import { type Harm, harmOf, type Logged, taintsOf } from "../core/taint.ts";
import type { SideRunner } from "./session.ts";
import { SysError } from "../sys/errno.ts";
import { KernelLog } from "../sys/kernel_log.ts";
import { kernelTaint } from "../sys/machine.ts";

/** The maximum number of faults in a report, which must fit a control line. */
const MAX_SPLATS = 8;

/** The reason if the log's ring buffer overran during a case. */
const OVERRUN = "so much that its log overran: a fault may have been lost";

/** What a watch knows, for a process that continues it. */
export interface KernelRecord extends Logged {
  /** The sequence number of the last log record that was read. */
  readonly log?: number;
  /** The kernel's taint when the run began. */
  readonly taint?: number;
  /** Its taint when it was last read. */
  readonly tainted?: number;
}

/** Options of a watch. */
export interface KernelWatchOptions {
  /** What a previous process knew, to continue from there. */
  readonly record?: KernelRecord | undefined;
  /** The log's path; tests use a file of their own. */
  readonly path?: string;
  /** Reads the kernel's taint; tests replace it. */
  readonly taint?: () => number | undefined;
}

/** Finds the faults that this kernel reports from one look at its log to the next. */
export class KernelWatch implements Disposable {
  readonly #log: KernelLog | undefined;
  readonly #taint: () => number | undefined;
  #record: KernelRecord;
  /** The kernel's taint when it was last read. */
  #tainted: number | undefined;
  /** The faults found for each running side. */
  readonly #running = new Set<Splat[]>();
  /** Why the log is not watched; undefined if it is. */
  readonly unwatched: string | undefined;
  readonly #seen: Splat[] = [];

  private constructor(
    log: KernelLog | undefined,
    { record, taint = () => undefined }: KernelWatchOptions,
    unwatched?: string,
  ) {
    this.#log = log;
    this.#taint = taint;
    this.#record = record ?? {};
    this.#tainted = record?.tainted ?? taint();
    this.unwatched = unwatched;
    if (record !== undefined) return;
    // Skip what is there already: no case caused it.
    this.look();
    this.begin();
  }

  /**
   * Begins to watch after the last record in the log, or after the last one that a previous process
   * read. If the log cannot be read, `unwatched` says why.
   */
  static open(options: KernelWatchOptions = {}): KernelWatch {
    const all = { taint: kernelTaint, ...options };
    try {
      return new KernelWatch(KernelLog.open(options.record?.log, options.path), all);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return new KernelWatch(undefined, all, error.message);
    }
  }

  /** A watch that does nothing: the stand-in does not test a kernel. */
  static none(): KernelWatch {
    return new KernelWatch(undefined, {});
  }

  /** The first faults that were found, including those before the first case. */
  get seen(): readonly Splat[] {
    return this.#seen;
  }

  /** Begins a run: from now on, changes of the kernel's state count as the run's. */
  begin(): void {
    const taint = this.#taint();
    this.#record = taint === undefined ? {} : { taint };
  }

  /** What is known, for a process that continues from there. */
  get record(): KernelRecord {
    const log = this.#log?.newest;
    const tainted = this.#tainted;
    return {
      ...this.#record,
      ...(log === undefined ? {} : { log }),
      ...(tainted === undefined ? {} : { tainted }),
    };
  }

  /** How the kernel has been harmed since the run began, as far as known. */
  get harm(): Harm | undefined {
    const { taint = 0 } = this.#record;
    return harmOf(taint, this.#taint() ?? taint, this.#record);
  }

  /** The faults reported since the last look. If the log could not be read, that is one, too. */
  look(): Splat[] {
    const found = this.#found();
    const effects = found.map(splatEffect);
    const lasting = found[effects.indexOf("lasting")]?.[0];
    this.#record = {
      ...(effects.includes("lockdep") ? { lockdep: true } : {}),
      ...(lasting === undefined ? {} : { lasting }),
      ...this.#record,
    };
    this.#seen.push(...found.slice(0, MAX_SPLATS - this.#seen.length));
    return found;
  }

  /**
   * The faults in the log, or else those that the taint shows. A kernel writes to the log before it
   * sets the taint.
   */
  #found(): Splat[] {
    const logged = this.#read();
    const tainted = this.#newTaint();
    if (tainted === undefined || logged.length > 0) return logged;
    const since = this.#read();
    return since.length > 0 ? since : [tainted];
  }

  /** New taint flags that mean a fault, as one splat. */
  #newTaint(): Splat | undefined {
    const before = this.#tainted;
    const now = this.#taint() ?? before;
    this.#tainted = now;
    if (before === undefined || now === undefined) return undefined;
    const faults = taintsOf(Number(BigInt(now) & ~BigInt(before))).filter(({ isFault }) => isFault);
    const text = faults.map(({ letter, meaning }) => `${letter} (${meaning})`).join(", ");
    return faults.length === 0 ? undefined : [`it is tainted now: ${text}`];
  }

  #read(): Splat[] {
    try {
      const { lines, overrun } = this.#log?.read() ?? { lines: [], overrun: false };
      return overrun ? [...findSplats(lines), [OVERRUN]] : findSplats(lines);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return [[`the log cannot be read: ${error.message}`]];
    }
  }

  /**
   * Wraps a runner so that its reports contain the faults that were reported while it ran, and
   * separately those from before, which the previous case caused if nothing else was running. A
   * fault while several sides run is in the report of each, since any of them may have caused it.
   *
   * @param onBegin called when the faults from before are known.
   */
  around(runSide: SideRunner, onBegin: () => void = () => {}): SideRunner {
    return async (order): Promise<SideReport> => {
      const earlier = this.#running.size > 0 ? [] : this.look();
      this.#share();
      onBegin();
      const mine: Splat[] = [];
      this.#running.add(mine);
      const report = await runSide(order).finally(() => {
        this.#share();
        this.#running.delete(mine);
      });
      const splats = bounded(mine, report.splats);
      const before = bounded(earlier, report.earlier);
      const { harm } = this;
      return {
        ...report,
        ...(splats.length === 0 ? {} : { splats }),
        ...(before.length === 0 ? {} : { earlier: before }),
        ...(harm === undefined ? {} : { harm }),
      };
    };
  }

  /** Adds the faults since the last look to all running sides. */
  #share(): void {
    if (this.#running.size === 0) return;
    const found = this.look();
    for (const splats of this.#running) splats.push(...found);
  }

  [Symbol.dispose](): void {
    this.#log?.[Symbol.dispose]();
  }
}

/** As many faults as fit: some from the log, and some leaks. */
function bounded(logged: readonly Splat[], leaks: readonly Splat[] = []): Splat[] {
  const room = MAX_SPLATS - Math.min(leaks.length, MAX_SPLATS / 2);
  return [...logged.slice(0, room), ...leaks].slice(0, MAX_SPLATS);
}
