/**
 * Skipping: a case that finds out only when it runs that there is nothing to judge here.
 *
 * @module
 */

/** Ends a case: this machine lacks what it needs, which is no fault of the implementation's. */
export class SkipError extends Error {
  override readonly name = "SkipError";
}
