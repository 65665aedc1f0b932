/**
 * The option that adds cases of the user's own.
 *
 * @module
 */
import type { Option } from "commander";
import { several } from "./parse.ts";
import { optionOf } from "./value.ts";

/** What the commands have that run or show cases. */
export interface CaseFileOptions {
  /** Files of cases besides the catalogue's. */
  readonly cases?: readonly string[] | undefined;
}

/** The option, which may be repeated. */
export function caseFilesOption(): Option {
  return optionOf("file", "--cases <file>", "add the cases in this file (docs/writing_a_case.md)")
    .argParser(several(String));
}
