/**
 * The command `report`: renders a stored report, or compares two.
 *
 * @module
 */
import { EXIT } from "../core/outcome.ts";
import {
  comparable,
  type DiffOptions,
  diffReports,
  diffText,
  isRegression,
} from "../report/diff.ts";
import type { ReportFormat } from "../report/formats.ts";
import { mergeReports } from "../report/merge.ts";
import { renderReport } from "../report/render.ts";
import { writeText } from "./output_file.ts";
import { readReport, readReports } from "./read_report.ts";
import { UsageError } from "../core/error.ts";
import { screenOf } from "../report/screen.ts";

/**
 * Renders a report.
 *
 * @param path a report as JSON; "-" is standard input.
 */
export async function render(
  format: ReportFormat,
  path: string,
  { output }: { readonly output?: string | undefined },
): Promise<number> {
  await writeText(renderReport(format, await readReport(path)), output, "report");
  return EXIT.ok;
}

/** Makes one report, as JSON, of several. */
export async function merge(
  paths: readonly string[],
  { output }: { readonly output?: string | undefined },
): Promise<number> {
  const merged = mergeReports(await readReports(paths), ["report", "merge", ...paths]);
  await writeText(renderReport("json", merged), output, "report");
  return EXIT.ok;
}

/** Shows what changed from one run to another; fails if anything got worse. */
export async function diff(
  beforePath: string,
  afterPath: string,
  options: DiffOptions,
): Promise<number> {
  if (beforePath === "-" && afterPath === "-") {
    throw new UsageError("Only one of the two can be standard input");
  }
  const before = await readReport(beforePath);
  const after = await readReport(afterPath);
  if (!comparable(before, after)) {
    throw new UsageError(
      "Cannot compare: the two runs have no case in common, in any direction " +
        `(the earlier one has the topology ${before.topology}, the later one ${after.topology})`,
    );
  }
  screenOf(Deno.stdout).write(diffText(before, after, options));
  return isRegression(diffReports(before, after), options) ? EXIT.failed : EXIT.ok;
}
