/**
 * How the project's checks and tests ended: how many passed, and the names of the others. The last
 * lines say all of it, since of a long output often only the end is shown.
 *
 * @module
 */

/** How tests ended. */
export interface TestCounts {
  readonly passed: number;
  /** A file that failed without a failing test (a leak, a module that does not load) counts as one. */
  readonly failed: number;
  /** The names of those that failed, with their files, each with the first line of its error. */
  readonly failures: readonly string[];
  /** The names of those that were not run, with their files. */
  readonly ignored: readonly string[];
}

/** Several counts as one. */
export function sumOf(counts: readonly TestCounts[]): TestCounts {
  return {
    passed: counts.reduce((sum, { passed }) => sum + passed, 0),
    failed: counts.reduce((sum, { failed }) => sum + failed, 0),
    failures: counts.flatMap(({ failures }) => failures),
    ignored: counts.flatMap(({ ignored }) => ignored),
  };
}

/** The last lines of a run: what was not run, what failed, and how many of each there are. */
export function summaryOf({ passed, failed, failures, ignored }: TestCounts): string {
  const skipped = ignored.length === 0 ? "" : `, ${ignored.length} skipped`;
  return [
    ...ignored.map((name) => `skipped: ${name}`),
    ...failures.map((failure) => `failed: ${failure}`),
    `${passed} passed, ${failed} failed${skipped}`,
  ].join("\n");
}

/**
 * The line of a program's output that says what went wrong: the first that speaks of an error, else
 * the last.
 */
export function firstErrorLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const line = lines.find((line) => /\berror\b/i.test(line)) ?? lines.at(-1);
  return line?.replace(/^error: /, "") ?? "it wrote nothing";
}
