/**
 * What was thrown, in words.
 *
 * @module
 */

/** The message of an error, and anything else that was thrown as text. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
