/**
 * Calls that end by themselves after a time: bounded on both sides, however busy the machine is.
 *
 * @module
 */
import { TimedSysError } from "../sys/descriptor.ts";
import { timedSleep } from "../sys/libc.ts";
import type { Check } from "./check.ts";

/** How much too early such a call may end, in milliseconds. */
const MAX_EARLY = 100;
/** How much later than a sleep of the same length beside it, in milliseconds. */
const MAX_LATE = 250;
/**
 * One try in time is enough. A busy machine may run a thread late once, and a kernel counts in ticks
 * from the last one that it saw, which is some time ago in a VM whose processor was just taken away;
 * a kernel that errs does so every time.
 */
const TRIES = 3;

/**
 * Check that a call fails with an errno when a time has passed, and not much later.
 *
 * @param milliseconds the time.
 * @param call must wait on a thread of its own, as those that return a promise do.
 */
export async function failsAfter(
  check: Check,
  code: string,
  milliseconds: number,
  what: string,
  call: () => Promise<unknown>,
): Promise<void> {
  let problem: string | undefined;
  for (let tries = 0; tries < TRIES; tries++) {
    const [error, slept] = await Promise.all([
      check.fails(code, what, call),
      timedSleep(milliseconds),
    ]);
    if (!(error instanceof TimedSysError)) return;
    problem = problemOf(Number(error.nanoseconds) / 1e6, milliseconds, slept);
    if (problem === undefined) return;
  }
  check.that(false, `${what}: ended ${problem}, ${TRIES} times`);
}

/** What is wrong with a time, all in milliseconds; undefined where nothing is. */
function problemOf(took: number, asked: number, slept: number): string | undefined {
  const [early, late] = [asked - took, took - Math.max(slept, asked)].map(Math.round);
  if (early !== undefined && early > MAX_EARLY) return `${early} ms too early`;
  return late !== undefined && late > MAX_LATE ? `${late} ms too late` : undefined;
}
