/**
 * What the commands that run cases have in common: what was chosen, and being interrupted.
 *
 * @module
 */
import { Baseline } from "../core/baseline.ts";
import { EXIT } from "../core/outcome.ts";
import { select } from "../core/selector.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import type { ConformanceCase } from "../suites/kit.ts";
import type { ConductOptions } from "./conduct_options.ts";
import { UsageError } from "./usage.ts";

/**
 * The cases that a user chose.
 *
 * @throws {UnmatchedSelectorError}
 */
export function chosenCases(selectors: readonly string[]): ConformanceCase[] {
  return select(CATALOGUE, selectors);
}

/** What a user says is known to fail. */
export async function baselineOf({ baseline }: ConductOptions): Promise<Baseline> {
  if (baseline === undefined) return Baseline.none;
  let text: string;
  try {
    text = await Deno.readTextFile(baseline);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || !(error instanceof Error)) throw error;
    throw new UsageError(`Cannot read the baseline ${baseline}: ${error.message}`);
  }
  return Baseline.parse(text, baseline, CATALOGUE.map(({ id }) => id));
}

/** Deno takes SIGHUP over a moment later, and what it was is no longer to be seen. */
const OUTLIVES_TERMINAL = outlivesTerminal();

/** Whether this process was started with SIGHUP, 1, ignored, as nohup(1) does it. */
function outlivesTerminal(): boolean {
  try {
    return /^SigIgn:\s*\w*[13579bdf]$/m.test(Deno.readTextFileSync("/proc/self/status"));
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}

/**
 * Calls `body`, which gives an exit code, with a signal that Ctrl-C, SIGTERM, or a terminal that
 * goes away aborts.
 *
 * @returns the exit code; 128 and the signal's number, however `body` ended, where one came.
 */
export async function interruptible(
  body: (stop: AbortSignal) => Promise<number>,
): Promise<number> {
  const stop = new AbortController();
  let interrupted: number | undefined;
  const ending = (code: number) => () => {
    interrupted ??= code;
    stop.abort(new Error("interrupted"));
  };
  const listeners = [
    ["SIGINT", ending(EXIT.interrupted)],
    ["SIGTERM", ending(EXIT.terminated)],
    ["SIGHUP", OUTLIVES_TERMINAL ? () => {} : ending(EXIT.hungUp)],
  ] as const;
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  try {
    const code = await body(stop.signal);
    return interrupted ?? code;
  } catch (error) {
    if (interrupted !== undefined) return interrupted;
    throw error;
  } finally {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
  }
}
