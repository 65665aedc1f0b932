/**
 * Watches for leaks: what this machine's kernel still holds after a case.
 *
 * @module
 */
import { pause, until } from "../core/wait.ts";
import type { LeakFacts } from "../core/event.ts";
import type { Role } from "../core/case.ts";
import type { Held } from "../core/leak_check.ts";
import type { SideReport } from "../core/outcome.ts";
import type { Splat } from "../core/splat.ts";
import { describeSocket } from "../kit/sock_diag.ts";
import {
  allocatedAt,
  fileLessListed,
  fileLessSockets,
  jiffiesNow,
  Kmemleak,
} from "../sys/kernel_memory.ts";
import { SocketMemory } from "../sys/socket_memory.ts";

/** A count that grows if a kernel leaks. */
export interface Gauge {
  /** The name of what it counts, in the plural. */
  readonly what: string;
  /**
   * The count, or undefined if it is unknown. It may return a larger value, up to `enough`, if that
   * is faster.
   */
  readonly read: (enough: number) => number | undefined | Promise<number | undefined>;
  /** Descriptions of the counted objects, one line each. */
  readonly list?: () => Promise<string[]>;
}

/** AF_VSOCK sockets with a transport but without a file: leaks, if they stay. */
const SOCKETS: Gauge = {
  what: "orphaned AF_VSOCK sockets",
  read: fileLessSockets,
  list: async () => (await fileLessListed()).map(describeSocket),
};

/**
 * How long a kernel may take to free everything, in milliseconds. A socket whose peer does not
 * respond to its shutdown stays for another 8 s: VSOCK_CLOSE_TIMEOUT.
 */
const GRACE = 12_000;
/** The intervals at which the gauges are read, in milliseconds. */
const PAUSES = { pause: 2, maxPause: 250 } as const;
/**
 * How long a count may take to fall again, in milliseconds, if no socket is left that could be the
 * reason: packets of the control channel take less.
 */
const CALM = 250;
/** How long two scans of kmemleak may take on a slow machine, in milliseconds. */
const SCAN_TIME = 60_000;

/** The maximum number of leaked objects in a report, which must fit a control line. */
const MAX_LISTED = 30;

/** For `enough`: less than any count, so that the exact one is returned. */
const EXACT = -1;

/** A gauge, its lowest count so far, and whether it was unknown for a whole grace period. */
interface Level {
  readonly gauge: Gauge;
  floor: number;
  blind: boolean;
}

/** Options of a watch. */
export interface LeakWatchOptions {
  readonly gauges: readonly Gauge[];
  /** Memory that can only be counted if nothing else uses the machine. */
  readonly memory?: Pick<SocketMemory, "watched" | "read"> | undefined;
  readonly kmemleak?: Pick<Kmemleak, "prepare" | "scan" | "minAge"> | undefined;
  /** Whether both sides are on this kernel; then only the server's watch looks. */
  readonly shared?: boolean | undefined;
  /** The kernel's clock, in jiffies; tests replace it. */
  readonly clock?: () => number | undefined;
  /** The grace period in milliseconds; shorter in tests. */
  readonly grace?: number;
}

/** The result of a look: leaks since the last look, earlier ones, and what is still held. */
export type Found = Pick<SideReport, "splats" | "earlier" | "held">;

/** Finds leaks of this kernel, look by look. */
export class LeakWatch {
  readonly #levels: readonly Level[];
  readonly #memory: LeakWatchOptions["memory"];
  readonly #kmemleak: LeakWatchOptions["kmemleak"];
  readonly #shared: boolean;
  readonly #grace: number;
  readonly #clock: () => number | undefined;
  /** When the last look ended, in the kernel's jiffies. */
  #looked: number | undefined;
  /** What was held at the last look. */
  #held: readonly Held[] = [];

  private constructor(levels: readonly Level[], options: LeakWatchOptions) {
    const { memory, kmemleak, shared = false, grace, clock = jiffiesNow } = options;
    this.#levels = levels;
    this.#memory = memory;
    this.#kmemleak = kmemleak;
    this.#shared = shared;
    this.#grace = grace ?? GRACE;
    this.#clock = clock;
  }

  /** Begins to watch, with the gauges that work here. */
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
   * @param exclusive whether nothing else uses it, so that its sockets' memory can be counted.
   * @param shared whether both sides run on it.
   */
  static machine(exclusive: boolean, shared: boolean): Promise<LeakWatch> {
    const kmemleak = Kmemleak.find();
    kmemleak?.begin();
    return LeakWatch.open({ ...onThisMachine(exclusive), kmemleak, shared });
  }

  /** What {@linkcode machine} would watch, without beginning to. */
  static async possible(exclusive: boolean): Promise<LeakFacts | undefined> {
    const kmemleak = Kmemleak.find();
    return (await LeakWatch.open({ ...onThisMachine(exclusive), kmemleak })).facts;
  }

  /** A watch that does nothing: the stand-in does not test a kernel. */
  static none(): Promise<LeakWatch> {
    return LeakWatch.open({ gauges: [] });
  }

  /** What is watched, and how long a look at it may take. */
  get facts(): LeakFacts | undefined {
    const watched = this.#levels.map(({ gauge }) => gauge.what);
    watched.push(...this.#memory?.watched ?? []);
    if (this.#kmemleak !== undefined) watched.push("kmemleak");
    if (watched.length === 0) return undefined;
    const scanTime = this.#kmemleak === undefined ? 0 : this.#kmemleak.minAge + SCAN_TIME;
    return { watched, milliseconds: this.#grace + CALM + scanTime };
  }

  /** Checks what this kernel still holds, while no side is running. */
  async look(role: Role): Promise<Found> {
    // Two looks at the same time would see each other's sockets.
    if (this.#shared && role !== "server") return {};
    const started = performance.now();
    const splats: Splat[] = [];
    for (const level of this.#levels) splats.push(...await this.#leftOf(level, started));
    const held = await this.#calm();
    const { since, before } = await this.#scan(started);
    splats.push(...since);
    return {
      ...(splats.length === 0 ? {} : { splats }),
      ...(before.length === 0 ? {} : { earlier: before }),
      ...(held.length === 0 ? {} : { held }),
    };
  }

  /**
   * Runs kmemleak. It may report a leak one case late, if an old pointer to it is still on some
   * stack, so objects allocated before the last look do not count as this case's.
   */
  async #scan(started: number): Promise<{ since: Splat[]; before: Splat[] }> {
    if (this.#kmemleak === undefined) return { since: [], before: [] };
    this.#kmemleak.prepare();
    await pause(Math.max(0, started + this.#kmemleak.minAge - performance.now()));
    const looked = this.#looked ?? 0;
    const isOld = (leak: Splat) => (allocatedAt(leak) ?? looked) < looked;
    const found = this.#kmemleak.scan();
    this.#looked = this.#clock();
    return { since: found.filter((leak) => !isOld(leak)), before: found.filter(isOld) };
  }

  /** Waits until a gauge is back at its level; anything above it after that has leaked. */
  async #leftOf(level: Level, started: number): Promise<Splat[]> {
    const { what, list } = level.gauge;
    const left = await this.#moreOf(level, started + this.#grace);
    if (left === 0) return [];
    const listed = await list?.() ?? [];
    const more = listed.length - MAX_LISTED;
    const rest = more > 0 ? [`and ${more} more`] : [];
    const text = `leak: ${left} more ${what} than before, ${this.#grace / 1000} s after the case`;
    return [[text, ...listed.slice(0, MAX_LISTED), ...rest]];
  }

  /** How far a gauge is above its level when the time is over: 0 as soon as it is back. */
  async #moreOf(level: Level, end: number): Promise<number> {
    const { floor, gauge, blind } = level;
    const look = async (isLast: boolean) => {
      const count = await gauge.read(floor);
      if (count !== undefined && count <= floor) {
        level.floor = count;
        level.blind = false;
        return 0;
      }
      // Do not wait every time for a kernel that no longer answers (if its sock_diag module died).
      if (count === undefined && blind) return 0;
      if (!isLast) return undefined;
      level.blind = count === undefined;
      // A leak stays, and must not be reported again after the next case.
      level.floor = count ?? floor;
      return level.floor - floor;
    };
    return await until(look, { timeout: end - performance.now(), ...PAUSES }) ?? 0;
  }

  /**
   * Counts what is held until it is no more than before and no longer changes, or until the time is
   * over, after which anything unrelated should be gone.
   */
  async #calm(): Promise<readonly Held[]> {
    if (this.#memory === undefined) return [];
    const memory = this.#memory;
    let before: readonly Held[] = this.#held;
    const look = (isLast: boolean) => {
      const now = memory.read();
      const stands = now.every(({ what, count, slack }) =>
        Math.abs(count - countOf(before, what)) <= slack
      );
      const grew = now.some(({ what, count, slack }) => count > countOf(this.#held, what) + slack);
      before = now;
      return (isLast || stands && !grew) && now;
    };
    return this.#held = await until(look, { timeout: CALM, ...PAUSES }) ?? this.#held;
  }
}

/** What is watched on this machine, except for kmemleak. */
function onThisMachine(exclusive: boolean): Pick<LeakWatchOptions, "gauges" | "memory"> {
  return { gauges: [SOCKETS], memory: exclusive ? SocketMemory.open() : undefined };
}

/** How much of something was held; for something new, any amount counts as no increase. */
function countOf(held: readonly Held[], what: string): number {
  return held.find((known) => known.what === what)?.count ?? Infinity;
}
