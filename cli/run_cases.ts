/**
 * The chosen cases and the baseline, for the commands that run cases.
 *
 * @module
 */
import { Baseline } from "../core/baseline.ts";
import { type Shard, shardOf } from "../core/shard.ts";
import { select } from "../core/selector.ts";
import { allCases } from "../suites/catalogue.ts";
import type { ConformanceCase } from "../kit/mod.ts";
import type { CasesOptions } from "./options/run.ts";
import { UsageError } from "../core/error.ts";

/**
 * The cases that a user chose.
 *
 * @param quick whether to leave out slow ones.
 * @param shard the part of them to run.
 * @throws {UnmatchedSelectorError}
 * @throws {UsageError} if nothing is left.
 */
export function chosenCases(
  selectors: readonly string[],
  quick = false,
  shard?: Shard,
): ConformanceCase[] {
  const chosen = select(allCases(), selectors).filter(({ slow }) => !quick || slow === undefined);
  if (chosen.length === 0) {
    throw new UsageError("Nothing is left to run: all chosen cases are slow; leave out --quick");
  }
  if (shard === undefined) return chosen;
  const part = shardOf(chosen, shard);
  if (part.length > 0) return part;
  throw new UsageError(
    `Shard ${shard.index} of ${shard.count} has no cases: families stay whole, and fewer than ` +
      `${shard.count} were chosen`,
  );
}

/** The known failures that the user gave. */
export async function baselineOf({ baseline }: CasesOptions): Promise<Baseline> {
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
