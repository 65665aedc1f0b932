/**
 * Watches what this machine's kernel holds on to after a case.
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

/** Something that a kernel has more of when it leaks. */
export interface Gauge {
  /** What it counts, in the plural. */
  readonly what: string;
  /**
   * How many there are; more than that, up to `enough`, where those are sooner known; undefined where
   * it cannot be known.
   */
  readonly read: (enough: number) => number | undefined | Promise<number | undefined>;
  /** Those that can be named, one line each. */
  readonly list?: () => Promise<string[]>;
}

/** AF_VSOCK sockets with a transport but without a file. One that is left is a leak. */
const SOCKETS: Gauge = {
  what: "orphaned AF_VSOCK sockets",
  read: fileLessSockets,
  list: async () => (await fileLessListed()).map(describeSocket),
};

/**
 * How long a kernel may take to let go, in milliseconds. A socket whose peer does not answer its
 * shutdown lives for another 8 s: VSOCK_CLOSE_TIMEOUT.
 */
const GRACE = 12_000;
/** How long after each other the gauges are read, in milliseconds. */
const PAUSES = { pause: 2, maxPause: 250 } as const;
/**
 * How long what has grown may take to come down again, in milliseconds, when no socket is left that
 * it could be of: packets of the control channel are under way for less.
 */
const CALM = 250;
/** How long the two scans of kmemleak may take on a slow machine, in milliseconds. */
const SCAN_TIME = 60_000;

/** How many leaked objects are named at most, so that a report fits a control line. */
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
  /** What can only be counted where nothing else goes on. */
  readonly memory?: Pick<SocketMemory, "watched" | "read"> | undefined;
  readonly kmemleak?: Pick<Kmemleak, "prepare" | "scan" | "minAge"> | undefined;
  /** Whether both sides are on this kernel: then the server's looks for both. */
  readonly shared?: boolean | undefined;
  /** The kernel's clock, in its jiffies; tests have one of theirs. */
  readonly clock?: () => number | undefined;
  /** In milliseconds; tests have less patience. */
  readonly grace?: number;
}

/** What a look finds: what has leaked for sure since the last or before it, and what is held. */
export type Found = Pick<SideReport, "splats" | "earlier" | "held">;

/** Leaks of this kernel, look by look. */
export class LeakWatch {
  readonly #levels: readonly Level[];
  readonly #memory: LeakWatchOptions["memory"];
  readonly #kmemleak: LeakWatchOptions["kmemleak"];
  readonly #shared: boolean;
  readonly #grace: number;
  readonly #clock: () => number | undefined;
  /** When the last look ended, by the kernel's clock. */
  #looked: number | undefined;
  /** What was held last. */
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
   * @param exclusive whether nothing else goes on there, so that its sockets' memory can be counted.
   * @param shared whether both sides are on it.
   */
  static machine(exclusive: boolean, shared: boolean): Promise<LeakWatch> {
    const kmemleak = Kmemleak.find();
    kmemleak?.begin();
    return LeakWatch.open({ ...onThisMachine(exclusive), kmemleak, shared });
  }

  /** What {@linkcode machine} would watch here; begins nothing. */
  static async possible(exclusive: boolean): Promise<LeakFacts | undefined> {
    const kmemleak = Kmemleak.find();
    return (await LeakWatch.open({ ...onThisMachine(exclusive), kmemleak })).facts;
  }

  /** One that watches nothing: the stand-in tries no kernel. */
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

  /** Checks, when no side is running, what this kernel still holds. */
  async look(role: Role): Promise<Found> {
    // Two that look at the same time would see what the other needs for it.
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
   * Asks kmemleak. It may see a leak one case late, while an old pointer to it still lies on some
   * stack: what was allocated before the last look is none of this case's.
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

  /** Waits until a gauge is back where it was; what is not by then has leaked. */
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

  /** How much more than before is left of something when it is back, or when the time is over. */
  async #moreOf(level: Level, end: number): Promise<number> {
    const { floor, gauge, blind } = level;
    const look = async (isLast: boolean) => {
      const count = await gauge.read(floor);
      if (count !== undefined && count <= floor) {
        level.floor = count;
        level.blind = false;
        return 0;
      }
      // A kernel that no longer answers (its sock_diag module died) is not waited for every time.
      if (count === undefined && blind) return 0;
      if (!isLast) return undefined;
      level.blind = count === undefined;
      // What has leaked stays: it must not be reported again after the next case.
      level.floor = count ?? floor;
      return level.floor - floor;
    };
    return await until(look, { timeout: end - performance.now(), ...PAUSES }) ?? 0;
  }

  /**
   * Counts what is held until that is no more than before, and stands still; or until the time is
   * over, in which what came by itself goes.
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

/** What is watched on this machine, but for kmemleak. */
function onThisMachine(exclusive: boolean): Pick<LeakWatchOptions, "gauges" | "memory"> {
  return { gauges: [SOCKETS], memory: exclusive ? SocketMemory.open() : undefined };
}

/** How much was held of something; of what is new, nothing is more than before. */
function countOf(held: readonly Held[], what: string): number {
  return held.find((known) => known.what === what)?.count ?? Infinity;
}
