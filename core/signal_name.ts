/**
 * Names of the signals that end processes.
 *
 * @module
 */

/** Signals that end a process by default, see signal(7). */
const SIGNALS: Readonly<Record<number, string>> = {
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  15: "SIGTERM",
};

/** The name of a signal that may end a process; undefined for any other. */
export function signalName(number: number): string | undefined {
  return SIGNALS[number];
}
