/**
 * The option that adds cases of the user's own.
 *
 * @module
 */

/** What the commands have that run or show cases. */
export interface CaseFileOptions {
  /** Files of cases besides the catalogue's. */
  readonly cases?: readonly string[] | undefined;
}

/** How that option is written; it may be given several times. */
export const CASE_FILES = "--cases <file>";
/** What help says of it. */
export const CASE_FILES_TEXT = "add the cases in this file (docs/writing_a_case.md)";

/** The arguments that give another process the same cases. */
export function caseFileArguments({ cases = [] }: CaseFileOptions): string[] {
  return cases.flatMap((path) => ["--cases", path]);
}
