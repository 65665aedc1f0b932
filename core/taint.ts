/**
 * The taint of a kernel: what /proc/sys/kernel/tainted says of what it went through.
 *
 * @module
 */
import type { EndFacts } from "./event.ts";

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

/** A taint in a line: `D (the kernel has had an Oops or a BUG), W (...)`; empty where it is none. */
export function taintText(taint: number): string {
  return taintsOf(taint).map(({ letter, meaning }) => `${letter} (${meaning})`).join(", ");
}

/** Why a kernel's verdicts prove less than those of one that has just booted; one line each. */
export function troubleBefore({ name, taint = 0, faultsBefore = [] }: EndFacts): string[] {
  const letters = taintsOf(taint).filter(({ isFault }) => isFault).map(({ letter }) => letter);
  return [
    ...(letters.length === 0 ? [] : [`the ${name}'s kernel is tainted: ${letters.join(", ")}`]),
    ...faultsBefore.map(([first = ""]) => `the ${name}'s kernel had reported: ${first}`),
  ];
}
