/**
 * Watches this machine's kernel log and taint while sides of cases run here, and adds to each side's
 * report the faults that the kernel reports, and what has become of it.
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

/** Most faults in one report, which must fit a control line. */
const MAX_SPLATS = 8;

/** A log that outgrows its buffer within a case hides what was in it. */
const OVERRUN = "so much that its log overran: a fault may have been lost";

/** What a watch knows, which outlives its process where that is written down. */
export interface KernelRecord extends Logged {
  /** The newest record of the log that was read. */
  readonly log?: number;
  /** The kernel's taint when the run began. */
  readonly taint?: number;
  /** Its taint when that was last asked for. */
  readonly tainted?: number;
}

/** What a watch is opened with. */
export interface KernelWatchOptions {
  /** What an earlier process knew, which this one goes on from. */
  readonly record?: KernelRecord | undefined;
  /** Of the log; tests give a file of theirs. */
  readonly path?: string;
  /** How the kernel is tainted now; tests say so. */
  readonly taint?: () => number | undefined;
}

/** Faults of this kernel from one look at its log to the next. */
export class KernelWatch implements Disposable {
  readonly #log: KernelLog | undefined;
  readonly #taint: () => number | undefined;
  #record: KernelRecord;
  /** How the kernel was tainted when that was last looked at. */
  #tainted: number | undefined;
  /** What was found for each side that runs now. */
  readonly #running = new Set<Splat[]>();
  /** Why the log is not watched, where it is not. */
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
    // What is there already is no case's.
    this.look();
    this.begin();
  }

  /**
   * Begins to watch, behind what is there, or behind what an earlier process read. Where the log may
   * not be read, it says why.
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

  /** One that watches nothing: the stand-in tries no kernel. */
  static none(): KernelWatch {
    return new KernelWatch(undefined, {});
  }

  /** The first faults that were found at all, also before any case began. */
  get seen(): readonly Splat[] {
    return this.#seen;
  }

  /** Begins a run: the kernel is as it is, and what becomes of it is the run's doing. */
  begin(): void {
    const taint = this.#taint();
    this.#record = taint === undefined ? {} : { taint };
  }

  /** What is known, for a process that goes on from there. */
  get record(): KernelRecord {
    const log = this.#log?.newest;
    const tainted = this.#tainted;
    return {
      ...this.#record,
      ...(log === undefined ? {} : { log }),
      ...(tainted === undefined ? {} : { tainted }),
    };
  }

  /** What has become of the kernel since the run began, so far as that was seen. */
  get harm(): Harm | undefined {
    const { taint = 0 } = this.#record;
    return harmOf(taint, this.#taint() ?? taint, this.#record);
  }

  /** The faults that were reported since the last look. What could not be read is one, too. */
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
   * What the log says; where it says nothing, or may not be read, what the taint does. A kernel
   * writes first, and is tainted then.
   */
  #found(): Splat[] {
    const logged = this.#read();
    const tainted = this.#newTaint();
    if (tainted === undefined || logged.length > 0) return logged;
    const since = this.#read();
    return since.length > 0 ? since : [tainted];
  }

  /** The faults that the kernel is tainted by since it was last asked, as the line of one. */
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
      return [[`nothing can be known: ${error.message}`]];
    }
  }

  /**
   * A runner whose reports carry the faults that came while it ran, and apart from them those that
   * had come before it, since nobody else ran then: they are the case's before. A fault that came
   * while several sides ran is reported by each, since it could be of any.
   *
   * @param onBegin called when what came before is known.
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
