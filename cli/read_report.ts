/**
 * Reports that commands are given.
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
 * @throws {UsageError} where there is nothing to read; {@linkcode ReportError} where it is none.
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
