/**
 * Files that exploring wrote, as its commands read them.
 *
 * @module
 */
import { UsageError } from "../core/error.ts";
import { type KeptFinding, parseFinding } from "../explore/file.ts";
import { parseRecording, type Recording } from "../explore/record.ts";

/** @throws {UsageError} where it cannot be read, or is something else. */
export async function readFinding(path: string): Promise<KeptFinding> {
  return parseFinding(await textOf(path, "finding"), path);
}

/** As {@linkcode readFinding}, of what --record wrote. */
export async function readRecording(path: string): Promise<Recording> {
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
