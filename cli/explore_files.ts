/**
 * The commands `explore case` and `explore diff`: what can be done with the files that exploring
 * wrote, without any machine.
 *
 * @module
 */
import { UsageError } from "../core/error.ts";
import { EXIT } from "../core/outcome.ts";
import { caseText } from "../explore/case_text.ts";
import { firstDifference } from "../explore/record.ts";
import { screenOf } from "../report/screen.ts";
import { readFinding, readRecording } from "./finding_file.ts";

/** Writes a finding as a file of cases to standard output. */
export async function exploreCase(path: string): Promise<number> {
  screenOf(Deno.stdout).write(caseText(await readFinding(path)));
  return EXIT.ok;
}

/** Shows the first call on which two recordings differ; then the exit code is 1, as diff's. */
export async function exploreDiff(first: string, second: string): Promise<number> {
  const a = await readRecording(first);
  const b = await readRecording(second);
  const found = firstDifference(a, b);
  const both = Math.min(a.programs.length, b.programs.length);
  screenOf(Deno.stdout).write(found ?? `no difference in ${both} programs\n`);
  if (both === 0) throw new UsageError("There are no programs in one of them: nothing to compare");
  return found === undefined ? EXIT.ok : EXIT.failed;
}
