/**
 * The command `matrix render`: the page of stored reports.
 *
 * @module
 */
import { EXIT } from "../core/outcome.ts";
import type { RunReport } from "../report/model.ts";
import { matrixMarkdown } from "../report/matrix/markdown.ts";
import { matrixHtml } from "../report/matrix/page.ts";
import { screenOf } from "../report/screen.ts";
import { OutputFile } from "./output_file.ts";
import { readReport } from "./read_report.ts";

/**
 * Makes the page of reports.
 *
 * @param paths JSON reports.
 */
export async function matrixRender(
  paths: readonly string[],
  { output }: { readonly output?: string | undefined },
): Promise<number> {
  const reports: RunReport[] = [];
  for (const path of paths) reports.push(await readReport(path));
  const text = output?.endsWith(".md") ? matrixMarkdown(reports) : matrixHtml(reports);
  if (output === undefined) screenOf(Deno.stdout).write(text);
  else {
    using file = await OutputFile.open(output, "page");
    await file.write(text);
  }
  return EXIT.ok;
}
