/**
 * Kernel log: which of its lines report a fault of the kernel (a "splat"), and where that ends.
 *
 * @module
 */

/**
 * How a line reads with which the kernel begins to report a fault of its own after which it goes on
 * as it did: what was wrong is past, or may come to nothing.
 */
const PASSING: readonly RegExp[] = [
  /^WARNING: CPU: \d+ PID: \d+ /, // __warn(), up to Linux 6.18
  /^WARNING: .+ at \S+.*, CPU#\d+: /, // __warn(), from then on
  /^refcount_t: /,
  /^UBSAN: /,
  /^BUG: (KCSAN|KMSAN): /,
  /^BUG: (sleeping function called from invalid context|using \w+\(\) in preemptible)/,
  /^unregister_netdevice: waiting for \S+ to become free/,
  /^ref_tracker: .+ has \d+\/\d+ users at/,
];
/** The same of lockdep, which reports once and is off from then on. */
const LOCKDEP: readonly RegExp[] = [
  /^WARNING: (possible |suspicious |bad |inconsistent |held lock|lock held|Nested lock)/,
  /^WARNING: [A-Z_]+-safe -> [A-Z_]+-unsafe lock order detected/,
  /^WARNING: .+ still has locks held!/,
  /^\[ (BUG|INFO): .+ \]$/,
  /^INFO: trying to register non-static key/,
];
/** The same of faults after which the kernel is not what it was: a thread died, memory is wrong. */
const LASTING: readonly RegExp[] = [
  /^BUG: /, // also KASAN, KFENCE, scheduling while atomic
  /^BUG \S+ \((Not tainted|Tainted: .*)\): /, // SLUB's checks
  /^watchdog: BUG: /,
  /^watchdog: (CPU\d+: )?Watchdog detected hard LOCKUP/,
  /^kernel BUG at /,
  /^Oops\b/,
  /^Internal error: /, // aarch64's Oops
  // A program's own fault is logged as well, as "traps: name[pid] general protection fault ip:".
  /^general protection fault[,:]/,
  /^(divide error|invalid opcode|stack segment|double fault): /,
  /^(traps: )?PANIC: /,
  /^Unable to handle kernel /, // aarch64, and the next five
  /^Unhandled (32|64)-bit el\d[ht] \w+ exception/,
  /^Insufficient stack space to handle exception!/,
  /^SError Interrupt on CPU\d+/,
  /^Bad mode in .+ handler detected/,
  /^list_(add|del) corruption/,
  /^INFO: task .+ blocked (in I\/O wait )?for more than \d+ seconds/,
  /^INFO: task .+ can't die for more than \d+ seconds/,
  /^(rcu: )?INFO: rcu\w* .*(detected (expedited )?stalls?|self-detected stall)/,
  /^rcu: INFO: rcu\w* detected/,
  /^irq \d+: nobody cared/,
  /^Kernel panic - not syncing/,
];
/** What reads like one of those, and only says that lockdep has run out of room. */
const NO_FAULT = /^BUG: MAX_\w+ too low!/;
const END = /^---\[ end (trace|Kernel panic)/;
const CUT_HERE = /^-+\[ cut here \]-+$/;
/** Most lines of one splat that are quoted; what comes behind its call trace says little. */
const MAX_QUOTED = 30;
/** How many lines a splat may have after which the next beginning is another splat's. */
const MAX_LINES = 100;
/** Most characters of a quoted line. */
const MAX_LINE = 200;

/** A fault that the kernel reports in its log: its lines, the telling one first. */
export type Splat = readonly string[];

/** Finds the splats in lines of a kernel's log, which have no time in front. */
export function findSplats(lines: readonly string[]): Splat[] {
  const splats: string[][] = [];
  let open: string[] | undefined;
  let effect: SplatEffect | undefined;
  let length = 0;
  for (const line of lines) {
    if (CUT_HERE.test(line)) open = undefined;
    const begun = effectOf(line);
    // An Oops begins several times: "BUG: unable to handle ...", then "Oops: ...". Lockdep's
    // reports have no end, and must not hide one.
    const isWorse = begun === "lasting" && effect !== "lasting";
    if (begun !== undefined && (open === undefined || length > MAX_LINES || isWorse)) {
      splats.push(open = []);
      effect = begun;
      length = 0;
    }
    if (open === undefined) continue;
    length++;
    if (open.length < MAX_QUOTED) open.push(line.slice(0, MAX_LINE));
    if (END.test(line)) open = undefined;
  }
  return splats;
}

/** What a fault does to what is tried on its kernel from then on. */
export type SplatEffect =
  /** It may say less than it did: WARN_ONCE() and UBSAN report a place once. */
  | "passing"
  /** Its lockdep is off. */
  | "lockdep"
  /** It does not work as it did, so that nothing said of it can be trusted. */
  | "lasting";

/** What a splat does to its kernel. */
export function splatEffect([first = ""]: Splat): SplatEffect | undefined {
  return effectOf(first);
}

function effectOf(line: string): SplatEffect | undefined {
  const isOf = (patterns: readonly RegExp[]) => patterns.some((pattern) => pattern.test(line));
  if (NO_FAULT.test(line)) return undefined;
  if (isOf(PASSING)) return "passing";
  if (isOf(LOCKDEP)) return "lockdep";
  return isOf(LASTING) ? "lasting" : undefined;
}

/** What the kernel puts in front of a line: a level, a time, a thread or processor, or some. */
const PREFIX = /^(<\d+>)?((\[ *\d+\.\d+\]( ?\[ *[TC]\d+\])?|\[ *[TC]\d+\]) )?/;

/** The lines of a serial console as the kernel's log has them: without times and line ends. */
export function consoleLines(text: string): string[] {
  return text.split("\n").map((line) => line.replace(/\r+$/, "").replace(PREFIX, ""));
}
