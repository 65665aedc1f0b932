/**
 * The command `matrix render`: the page of stored reports.
 *
 * @module
 */
import { EXIT } from "../core/outcome.ts";
import { matrixMarkdown } from "../report/matrix/markdown.ts";
import { matrixHtml } from "../report/matrix/page.ts";
import { writeText } from "./output_file.ts";
import { readReports } from "./read_report.ts";

/**
 * Makes the page of reports.
 *
 * @param paths JSON reports.
 */
export async function matrixRender(
  paths: readonly string[],
  { output }: { readonly output?: string | undefined },
): Promise<number> {
  const reports = await readReports(paths);
  const text = output?.endsWith(".md") ? matrixMarkdown(reports) : matrixHtml(reports);
  await writeText(text, output, "page");
  return EXIT.ok;
}
