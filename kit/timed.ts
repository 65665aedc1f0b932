/**
 * Checks of calls that return by themselves after a time, with bounds that hold on a busy machine,
 * too.
 *
 * @module
 */
import { TimedSysError } from "../sys/descriptor.ts";
import { timedSleep } from "../sys/libc.ts";
import type { Check } from "./check.ts";

/** How much too early such a call may return, in milliseconds. */
const MAX_EARLY = 100;
/** How much later than a concurrent sleep of the same length it may return, in milliseconds. */
const MAX_LATE = 250;
/**
 * The number of attempts, one of which must be in time. A busy machine may run a thread late, and a
 * kernel counts from the last tick, which is long ago in a VM whose processor was not running. A
 * faulty kernel is wrong every time.
 */
const TRIES = 3;

/**
 * Check that a call fails with an errno after a time, and not much later.
 *
 * @param milliseconds the time.
 * @param call has to wait on another thread, as all calls do that return a promise.
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

/** What is wrong with a time, all in milliseconds; undefined if nothing is. */
function problemOf(took: number, asked: number, slept: number): string | undefined {
  const [early, late] = [asked - took, took - Math.max(slept, asked)].map(Math.round);
  if (early !== undefined && early > MAX_EARLY) return `${early} ms too early`;
  return late !== undefined && late > MAX_LATE ? `${late} ms too late` : undefined;
}
