/**
 * The options about which lines of the kernel the cases run.
 *
 * @module
 */
import type { Command } from "commander";
import { UsageError } from "../../core/error.ts";
import { DEFAULT_KERNEL } from "../../lab/kernel/kernel.ts";
import { COVERAGE } from "../../lab/kernel/coverage.ts";
import { optionOf } from "./value.ts";

/** Values of these options. */
export interface CoverageOptions {
  /** The folder that receives the coverage. */
  readonly coverage?: string | undefined;
  /** The folder of an earlier one to compare with. */
  readonly coverageBase?: string | undefined;
}

/** Adds the options. */
export function withCoverageOptions(command: Command): Command {
  // That the second is not in the help keeps that on a screen; docs/coverage.md has it.
  return command
    .addOption(
      optionOf("folder", "--coverage <folder>", "which lines ran (docs/coverage.md)"),
    )
    .addOption(
      optionOf("folder", "--coverage-base <folder>", "compare that with an earlier one")
        .hideHelp(),
    );
}

/**
 * The options of the run, which uses the kernel that counts, unless the user chose another.
 *
 * @throws {UsageError} if options do not go together.
 */
export function withCountingKernel<
  T extends CoverageOptions & { readonly kernel: string; readonly jobs?: number | undefined },
>(options: T): T {
  const { coverage, coverageBase, kernel, jobs = 1 } = options;
  if (coverage === undefined) {
    if (coverageBase === undefined) return options;
    throw new UsageError("--coverage-base compares with --coverage: give that, too");
  }
  if (jobs > 1) {
    throw new UsageError("--coverage counts for each case on its own: leave --jobs out");
  }
  return kernel === DEFAULT_KERNEL ? { ...options, kernel: COVERAGE } : options;
}
