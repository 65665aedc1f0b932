/**
 * Errors: those that are expected, with the exit code of the tool, and the messages of all others.
 *
 * @module
 */
import { EXIT } from "./outcome.ts";

/**
 * An error that is not a defect of the tool: its message is for people and says what to do, and it
 * is shown without a stack trace.
 */
export abstract class ExpectedError extends Error {
  /** The tool's exit code if nothing handles it, see docs/outcomes.md. */
  readonly exitCode: number = EXIT.broken;
}

/** The tool was used incorrectly, or something that the user asked for is missing; exit code 2. */
export class UsageError extends ExpectedError {
  override readonly name = "UsageError";
}

/** The message of an error; anything else that was thrown, as text. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
