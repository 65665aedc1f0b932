/**
 * The option `--cases`, which adds cases from files.
 *
 * @module
 */
import type { Option } from "commander";
import { several } from "./parse.ts";
import { optionOf } from "./value.ts";

/** Options of the commands that run or show cases. */
export interface CaseFileOptions {
  /** Files with further cases. */
  readonly cases?: readonly string[] | undefined;
}

/** The option, which may be repeated. */
export function caseFilesOption(): Option {
  return optionOf("file", "--cases <file>", "add the cases in this file (docs/writing_a_case.md)")
    .argParser(several(String));
}
