/**
 * What the commands that run cases have in common: what was chosen, and being interrupted.
 *
 * @module
 */
import { Baseline } from "../core/baseline.ts";
import { select } from "../core/selector.ts";
import { allCases } from "../suites/catalogue.ts";
import type { ConformanceCase } from "../kit/mod.ts";
import type { ConductOptions } from "./options/run.ts";
import { UsageError } from "../core/error.ts";

/**
 * The cases that a user chose.
 *
 * @param quick whether slow ones are left out.
 * @throws {UnmatchedSelectorError}
 * @throws {UsageError} where all of them are slow and these are left out.
 */
export function chosenCases(selectors: readonly string[], quick = false): ConformanceCase[] {
  const chosen = select(allCases(), selectors);
  if (!quick) return chosen;
  const left = chosen.filter(({ slow }) => slow === undefined);
  if (left.length > 0) return left;
  throw new UsageError("Nothing is left to run: all that was chosen is slow; leave out --quick");
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
  return Baseline.parse(text, baseline, allCases().map(({ id }) => id));
}
