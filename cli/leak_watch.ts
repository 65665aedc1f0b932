/**
 * Watches what this machine's kernel holds on to after a case, and adds what it leaked to the
 * side's report.
 *
 * @module
 */
import type { LeakFacts } from "../core/event.ts";
import type { Role } from "../core/case.ts";
import type { SideReport } from "../core/outcome.ts";
import { markEarlier, type Splat } from "../core/splat.ts";
import type { SideRunner } from "../peer/agent.ts";
import { describeSocket } from "../suites/kit/diag.ts";
import { fileLessListed, fileLessSockets, Kmemleak, socketBuffers } from "../sys/kernel_memory.ts";

/** Something that a kernel has more of when it leaks. */
export interface Gauge {
  /** What it counts, in the plural. */
  readonly what: string;
  /**
   * How many there are; more than that, up to `enough`, where those are sooner known; undefined where
   * it cannot be known.
   */
  readonly read: (enough: number) => number | undefined | Promise<number | undefined>;
  /** How many more than before are no leak yet. */
  readonly slack: number;
  /** Those that can be named, one line each. */
  readonly list?: () => Promise<string[]>;
}

/** AF_VSOCK sockets with a transport but without a file. One that is left is a leak. */
const SOCKETS: Gauge = {
  what: "AF_VSOCK sockets that belong to no file",
  read: fileLessSockets,
  slack: 0,
  list: async () => (await fileLessListed()).map(describeSocket),
};

/**
 * Socket buffers, of all the machine's sockets: a few come and go with any traffic, and a guest
 * keeps up to 128 empty ones for what its host sends (virtio_vsock_rx_fill()).
 */
const BUFFERS: Gauge = { what: "socket buffers", read: socketBuffers, slack: 160 };

function gaugesOf(exclusive: boolean): Gauge[] {
  return exclusive ? [SOCKETS, BUFFERS] : [SOCKETS];
}

/**
 * How long a kernel may take to let go, in milliseconds. A socket whose peer does not answer its
 * shutdown lives for another 8 s: VSOCK_CLOSE_TIMEOUT.
 */
const GRACE = 12_000;
/** How long after each other the gauges are read, in milliseconds, at first and at most. */
const FIRST_PAUSE = 2;
const MAX_PAUSE = 250;
/** How long the two scans of kmemleak may take on a slow machine, in milliseconds. */
const SCAN_TIME = 60_000;

/** Most of what is left that is named, so that a report fits a control line. */
const MAX_LISTED = 30;

/** Fewer than there ever are. */
const EXACT = -1;

/** A gauge, the fewest that it ever told, and whether it told nothing for a whole grace. */
interface Level {
  readonly gauge: Gauge;
  floor: number;
  blind: boolean;
}

/** What the watch is made with. */
export interface LeakWatchOptions {
  readonly gauges: readonly Gauge[];
  readonly kmemleak?: Pick<Kmemleak, "prepare" | "scan" | "minAge"> | undefined;
  /** Whether both sides are on this kernel: then the server's asks kmemleak for both. */
  readonly shared?: boolean | undefined;
  /** In milliseconds; tests have less patience. */
  readonly grace?: number;
}

/** Leaks of this kernel, case by case. */
export class LeakWatch {
  readonly #levels: readonly Level[];
  readonly #kmemleak: LeakWatchOptions["kmemleak"];
  readonly #shared: boolean;
  readonly #grace: number;
  /** Whether all that ran was looked at. */
  #settled = true;

  private constructor(levels: readonly Level[], options: LeakWatchOptions) {
    const { kmemleak, shared = false, grace } = options;
    this.#levels = levels;
    this.#kmemleak = kmemleak;
    this.#shared = shared;
    this.#grace = grace ?? GRACE;
  }

  /** Begins to watch what can be watched. */
  static async open(options: LeakWatchOptions): Promise<LeakWatch> {
    const levels: Level[] = [];
    for (const gauge of options.gauges) {
      const floor = await gauge.read(EXACT);
      if (floor !== undefined) levels.push({ gauge, floor, blind: false });
    }
    return new LeakWatch(levels, options);
  }

  /**
   * Watches this machine.
   *
   * @param exclusive whether nothing else goes on there, so that its buffers can be counted.
   * @param shared whether both sides are on it.
   */
  static machine(exclusive: boolean, shared: boolean): Promise<LeakWatch> {
    const kmemleak = Kmemleak.find();
    kmemleak?.begin();
    return LeakWatch.open({ gauges: gaugesOf(exclusive), kmemleak, shared });
  }

  /** What {@linkcode machine} would watch here; begins nothing. */
  static async possible(exclusive: boolean): Promise<LeakFacts | undefined> {
    const kmemleak = Kmemleak.find();
    return (await LeakWatch.open({ gauges: gaugesOf(exclusive), kmemleak })).facts;
  }

  /** One that watches nothing: the stand-in tries no kernel. */
  static none(): Promise<LeakWatch> {
    return LeakWatch.open({ gauges: [] });
  }

  /** What is watched, and how long a look at it may take. */
  get facts(): LeakFacts | undefined {
    const watched = this.#levels.map(({ gauge }) => gauge.what);
    if (this.#kmemleak !== undefined) watched.push("kmemleak");
    if (watched.length === 0) return undefined;
    const scanTime = this.#kmemleak === undefined ? 0 : this.#kmemleak.minAge + SCAN_TIME;
    // What the case before left unlooked at is looked at first.
    return { watched, milliseconds: 2 * (this.#grace + scanTime) };
  }

  /**
   * A runner whose reports carry the leaks that came with them. A side that did not pass reports at
   * once, since it is waited for; what it leaked is looked at before the next, and marked. So it is
   * with sides beside which others run: while they do, nobody can tell what one leaves behind.
   */
  around(runSide: SideRunner): SideRunner {
    return async (order): Promise<SideReport> => {
      const looks = order.beside !== true;
      const settled = this.#settled;
      const before = !looks || settled ? [] : await this.#settle(order.role);
      this.#settled = false;
      const report = await runSide(order);
      // Nothing ran, and the other side waits to be told.
      if (report.state === "skip") this.#settled = settled || looks;
      const after = looks && report.state === "pass" ? await this.#settle(order.role) : [];
      const leaks = [...before.map(markEarlier), ...after];
      return leaks.length === 0
        ? report
        : { ...report, splats: [...report.splats ?? [], ...leaks] };
    };
  }

  /** Waits until the gauges are back where they were; what is not by then has leaked. */
  async #settle(role: Role): Promise<Splat[]> {
    const started = performance.now();
    const leaks: Splat[] = [];
    for (const level of this.#levels) {
      const left = await this.#leftOf(level, started + this.#grace);
      if (left === 0) continue;
      const listed = await level.gauge.list?.() ?? [];
      const more = listed.length - MAX_LISTED;
      const rest = more > 0 ? [`and ${more} more`] : [];
      leaks.push([
        leakText(left, level.gauge.what, this.#grace),
        ...listed.slice(0, MAX_LISTED),
        ...rest,
      ]);
    }
    if (this.#kmemleak !== undefined && (role === "server" || !this.#shared)) {
      this.#kmemleak.prepare();
      await pause(Math.max(0, started + this.#kmemleak.minAge - performance.now()));
      leaks.push(...this.#kmemleak.scan());
    }
    this.#settled = true;
    return leaks;
  }

  /** How much more than before is left of something when it is back, or when the time is over. */
  async #leftOf(level: Level, end: number): Promise<number> {
    for (let time = FIRST_PAUSE;; time = Math.min(2 * time, MAX_PAUSE)) {
      // Looked at before the gauge: what it told before this machine stood still is not the end.
      const isOver = performance.now() >= end;
      const { floor, gauge, blind } = level;
      const count = await gauge.read(floor + gauge.slack);
      if (count !== undefined && count <= floor + gauge.slack) {
        level.floor = Math.min(floor, count);
        level.blind = false;
        return 0;
      }
      // A kernel that no longer tells (its sock_diag module died) need not be waited for every time.
      if (count === undefined && blind) return 0;
      if (isOver) {
        level.blind = count === undefined;
        // What has leaked stays: it must not be told again after the next case.
        level.floor = count ?? floor;
        return level.floor - floor;
      }
      await pause(time);
    }
  }
}

function leakText(left: number, what: string, grace: number): string {
  return `leak: ${left} more ${what} than before, ${grace / 1000} s after the case`;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
