/**
 * Calls that end by themselves after a time: bounded on both sides, however busy the machine is.
 *
 * @module
 */
import { TimedSysError } from "../sys/descriptor.ts";
import { timedSleep } from "../sys/libc.ts";
import type { Check } from "./check.ts";

/**
 * How much too early such a call may end, in milliseconds: the kernel counts in ticks from the last
 * one that it saw, which is some time ago in a VM whose processor was just taken away.
 */
const MAX_EARLY = 100;
/** How much later than a sleep of the same length beside it, in milliseconds, in one of the tries. */
const MAX_LATE = 250;
/** A busy machine may run a thread late once; a kernel that errs is late every time. */
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
  let late = Infinity;
  for (let tries = 0; tries < TRIES && late > MAX_LATE; tries++) {
    const [error, slept] = await Promise.all([
      check.fails(code, what, call),
      timedSleep(milliseconds),
    ]);
    if (!(error instanceof TimedSysError)) return;
    const took = Number(error.nanoseconds) / 1e6;
    const early = milliseconds - took;
    check.that(early <= MAX_EARLY, `${what}: ended ${Math.round(early)} ms too early`);
    late = Math.min(late, took - Math.max(slept, milliseconds));
  }
  check.that(late <= MAX_LATE, `${what}: ended ${Math.round(late)} ms too late, ${TRIES} times`);
}
