/**
 * Kernel log: which of its lines report a fault of the kernel (a "splat"), and where that ends.
 *
 * @module
 */

/** How a line reads with which the kernel begins to report a fault of its own. */
const BEGINNINGS: readonly RegExp[] = [
  /^WARNING: CPU: \d+ PID: \d+ /, // __warn(), up to Linux 6.18
  /^WARNING: .+ at \S+.*, CPU#\d+: /, // __warn(), from then on
  /^WARNING: (possible |suspicious |bad |inconsistent |held lock|lock held|Nested lock)/, // lockdep
  /^WARNING: .+ still has locks held!/,
  /^BUG: /, // also KASAN, KMSAN, KCSAN, KFENCE, sleeping in atomic context
  /^watchdog: BUG: /,
  /^kernel BUG at /,
  /^Oops\b/,
  /^Internal error: /, // aarch64's Oops
  // A program's own fault is logged as well, as "traps: name[pid] general protection fault ip:".
  /^general protection fault[,:]/,
  /^(divide error|invalid opcode|stack segment|double fault): /,
  /^Unable to handle kernel /, // aarch64
  /^refcount_t: /,
  /^list_(add|del) corruption/,
  /^INFO: task .+ blocked for more than \d+ seconds/,
  /^(rcu: )?INFO: rcu\w* .*(detected (expedited )?stalls?|self-detected stall)/,
  /^rcu: INFO: rcu\w* detected/,
  /^(UBSAN: |Kernel panic - not syncing)/,
];
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
  let length = 0;
  for (const line of lines) {
    if (CUT_HERE.test(line)) open = undefined;
    const begins = BEGINNINGS.some((pattern) => pattern.test(line));
    // An Oops begins several times: "BUG: unable to handle ...", then "Oops: ...".
    if (begins && (open === undefined || length > MAX_LINES)) {
      splats.push(open = []);
      length = 0;
    }
    if (open === undefined) continue;
    length++;
    if (open.length < MAX_QUOTED) open.push(line.slice(0, MAX_LINE));
    if (END.test(line)) open = undefined;
  }
  return splats;
}

/** Says of a splat that it came, or was found, after one case had ended and before the next began. */
export function markEarlier([first = "", ...rest]: Splat): Splat {
  return [`(before this case) ${first}`, ...rest];
}

/** The lines of a serial console as the kernel's log has them: without times and line ends. */
export function consoleLines(text: string): string[] {
  return text.split(/\r*\n/).map((line) => line.replace(/^\[ *\d+\.\d+\](\[ *[TC]\d+\])? /, ""));
}
