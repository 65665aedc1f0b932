/**
 * What was thrown, in words.
 *
 * @module
 */

/** The message of an error, and anything else that was thrown as text. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The tool was not used rightly, or lacks what the user asked for; ends it with exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
