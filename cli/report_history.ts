/**
 * The command `report diff` of a folder: when cases changed, over several runs.
 *
 * @module
 */
import { reasonOf, UsageError } from "../core/error.ts";
import { EXIT } from "../core/outcome.ts";
import { historiesOf, historyText, isWorseNow } from "../report/history.ts";
import { screenOf } from "../report/screen.ts";
import { readReports } from "./read_report.ts";

/** Shows what changed over the runs whose reports, as JSON, a folder has. */
export async function history(folder: string): Promise<number> {
  const reports = await readReports((await jsonFiles(folder)).map((name) => `${folder}/${name}`));
  if (reports.length === 0) throw new UsageError(`There is no JSON report in ${folder}`);
  const histories = historiesOf(reports);
  screenOf(Deno.stdout).write(historyText(histories));
  return isWorseNow(histories) ? EXIT.failed : EXIT.ok;
}

async function jsonFiles(folder: string): Promise<string[]> {
  try {
    const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    return names.filter((name) => name.endsWith(".json")).sort();
  } catch (error) {
    const { message } = error instanceof Error ? error : { message: reasonOf(error) };
    throw new UsageError(
      `Cannot read the folder ${folder}: ${message}; give two reports, or a folder of several`,
    );
  }
}
