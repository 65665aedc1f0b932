/**
 * What was thrown: errors that are expected, with the exit code that they end the tool with, and
 * the words of any other.
 *
 * @module
 */
import { EXIT } from "./outcome.ts";

/**
 * An error that is no defect of the tool: its message is for people and says what to do, so that no
 * stack trace is shown with it.
 */
export abstract class ExpectedError extends Error {
  /** What the tool ends with where nothing handles it, see docs/outcomes.md. */
  readonly exitCode: number = EXIT.broken;
}

/** The tool was used wrongly, or lacks what the user asked for; ends it with exit code 2. */
export class UsageError extends ExpectedError {
  override readonly name = "UsageError";
}

/** The message of an error, and anything else that was thrown as text. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
