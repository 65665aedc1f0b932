/** A letter of a kernel's taint. */
export interface Taint {
  /** As the kernel writes it behind "Tainted:". */
  readonly letter: string;
  /** What brought it about. */
  readonly meaning: string;
  /** Whether the kernel has gone wrong by then: what it does after that proves less. */
  readonly isFault: boolean;
}

/** A letter for each bit, the lowest first (Documentation/admin-guide/tainted-kernels.rst). */
const TAINTS: readonly (readonly [letter: string, meaning: string, isFault?: true])[] = [
  ["P", "a module with a proprietary licence was loaded"],
  ["F", "a module was loaded by force"],
  ["S", "the hardware, or how it is used, is not within its specification"],
  ["R", "a module was unloaded by force"],
  ["M", "the processor reported a machine check", true],
  ["B", "a page was in a state in which it must not be", true],
  ["U", "a program asked for the taint"],
  ["D", "the kernel has had an Oops or a BUG", true],
  ["A", "an ACPI table was replaced"],
  ["W", "the kernel has warned; what it warns of once it will not warn of again", true],
  ["C", "a driver from staging was loaded"],
  ["I", "a fault of the firmware is worked around"],
  ["O", "a module was loaded that is not of the kernel's own source tree"],
  ["E", "a module without a valid signature was loaded"],
  ["L", "a processor was locked up (soft lockup)", true],
  ["K", "the kernel was patched while it ran"],
  ["X", "what the distribution means by it"],
  ["T", "the layout of structures was randomized when the kernel was built"],
  ["N", "a test within the kernel has run (KUnit, kselftest modules)"],
  ["J", "a program used a debugging interface of firmware that changes it (fwctl)"],
];

/** The letters of a taint; a bit that has none here is called by its number. */
export function taintsOf(taint: number): Taint[] {
  const bits = [...taint.toString(2)].reverse();
  return bits.flatMap((bit, i): Taint[] => {
    if (bit !== "1") return [];
    const [letter = `bit ${i}`, meaning = "unknown to this version", isFault] = TAINTS[i] ?? [];
    return [{ letter, meaning, isFault: isFault ?? false }];
  });
}

/**
 * A taint in a line: `D (the kernel has had an Oops or a BUG), W (...)`; empty where it is none.
 */
export function taintText(taint: number): string {
  return taintsOf(taint).map(({ letter, meaning }) => `${letter} (${meaning})`).join(", ");
}

/** What has become of a kernel since the run began. */
export interface Harm {
  /** The bits of /proc/sys/kernel/tainted that have come. */
  readonly taint: number;
  /** What that means for what is tried on it from now on, one line each. */
  readonly effects: readonly string[];
  /** There where nothing that is said of it from now on can be trusted. */
  readonly lasting?: true;
}

/** Machine check, bad page, Oops, soft lockup: after those a kernel does not work as it did. */
const LASTING = 2 ** 4 + 2 ** 5 + 2 ** 7 + 2 ** 14;

/** What a kernel's lockdep says no more of when it has said something once. */
const LOCKDEP_OFF = "lockdep has reported, and is off";

/** The worst of the faults that a kernel logged since the run began. */
export interface Logged {
  /** Whether lockdep was among them. */
  readonly lockdep?: boolean;
  /** The first line of the first one that lasts. */
  readonly lasting?: string;
}

/**
 * What has become of a kernel.
 *
 * @param before /proc/sys/kernel/tainted when the run began.
 * @param now what it is by now.
 * @param logged what its log says besides: a hung task, for one, leaves no taint.
 * @returns undefined where the kernel is as it was.
 */
export function harmOf(before: number, now: number, logged: Logged = {}): Harm | undefined {
  const { lockdep = false, lasting } = logged;
  const taint = Number(BigInt(now) & ~BigInt(before));
  const effects = taintsOf(taint).map(({ letter, meaning }) => `tainted: ${letter} (${meaning})`);
  if (lockdep) effects.push(LOCKDEP_OFF);
  const lasts = (BigInt(taint) & BigInt(LASTING)) !== 0n || lasting !== undefined;
  if (lasting !== undefined) effects.push(`has logged: ${lasting}`);
  if (effects.length === 0) return undefined;
  return { taint, effects, ...(lasts ? { lasting: true } : {}) };
}
