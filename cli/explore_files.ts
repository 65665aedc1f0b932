/**
 * The commands `explore case` and `explore diff`: what can be done with the files that exploring
 * wrote, without any machine.
 *
 * @module
 */
import { UsageError } from "../core/error.ts";
import { EXIT } from "../core/outcome.ts";
import { caseText } from "../explore/case_text.ts";
import { type KeptFinding, parseFinding } from "../explore/file.ts";
import { firstDifference, parseRecording, type Recording } from "../explore/record.ts";
import { screenOf } from "../report/screen.ts";

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

/** @throws {UsageError} where it cannot be read, or is something else. */
export async function readFinding(path: string): Promise<KeptFinding> {
  return parseFinding(await textOf(path, "finding"), path);
}

async function readRecording(path: string): Promise<Recording> {
  return parseRecording(await textOf(path, "recording"), path);
}

async function textOf(path: string, what: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || !(error instanceof Error)) throw error;
    throw new UsageError(`Cannot read the ${what} ${path}: ${error.message}`);
  }
}
