/**
 * Reads reports given to commands.
 *
 * @module
 */
import { UsageError } from "../core/error.ts";
import type { RunReport } from "../report/model.ts";
import { parseReport } from "../report/schema.ts";

/**
 * Reads a report.
 *
 * @param path a report as JSON; "-" is standard input.
 * @throws {UsageError} if it cannot be read; {@linkcode ReportError} if it is not a report.
 */
export async function readReport(path: string): Promise<RunReport> {
  const source = path === "-" ? "standard input" : path;
  let text: string;
  try {
    text = path === "-"
      ? await new Response(Deno.stdin.readable).text()
      : await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || !(error instanceof Error)) throw error;
    throw new UsageError(`Cannot read ${source}: ${error.message}`);
  }
  return parseReport(text, source);
}

/** Reads reports, one after the other; see {@linkcode readReport}. */
export async function readReports(paths: readonly string[]): Promise<RunReport[]> {
  const reports: RunReport[] = [];
  for (const path of paths) reports.push(await readReport(path));
  return reports;
}
