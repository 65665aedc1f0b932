/**
 * The option `--report`: a format, and the file that the report is written to.
 *
 * @module
 */
import { InvalidArgumentError } from "commander";
import { REPORT_FORMATS, type ReportFormat } from "../../report/formats.ts";

/** A format and a file. */
export interface ReportTarget {
  readonly format: ReportFormat;
  readonly path: string;
}

/** Parses a value of `--report`, for commander. */
export function reportOption(text: string): ReportTarget {
  const at = text.indexOf("=");
  const [format, path] = [text.slice(0, at), text.slice(at + 1)];
  const formats = Object.keys(REPORT_FORMATS);
  if (at < 0 || path === "" || !formats.includes(format)) {
    throw new InvalidArgumentError(`Write FORMAT=FILE, with a format of ${formats.join(", ")}.`);
  }
  return { format: format as ReportFormat, path };
}
