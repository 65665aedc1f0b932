/**
 * The option `--report`: files that a run's report is written to.
 *
 * @module
 */
import { reasonOf } from "../core/reason.ts";
import { InvalidArgumentError } from "commander";
import { REPORT_FORMATS, type ReportFormat } from "../report/formats.ts";
import type { RunReport } from "../report/model.ts";
import { UsageError } from "./usage.ts";

/** A form, and where to write it. */
export interface ReportTarget {
  readonly format: ReportFormat;
  readonly path: string;
}

/** A value of `--report`, for commander. */
export function reportOption(text: string): ReportTarget {
  const at = text.indexOf("=");
  const [format, path] = [text.slice(0, at), text.slice(at + 1)];
  const formats = Object.keys(REPORT_FORMATS);
  if (at < 0 || path === "" || !formats.includes(format)) {
    throw new InvalidArgumentError(`Write FORMAT=FILE, with a format of ${formats.join(", ")}.`);
  }
  return { format: format as ReportFormat, path };
}

/** Files that are opened before a run, and written when disposed of, however the run ended. */
export class ReportFiles implements AsyncDisposable {
  readonly #files: (ReportTarget & { file: Deno.FsFile })[] = [];
  readonly #report: () => RunReport | undefined;

  private constructor(report: () => RunReport | undefined) {
    this.#report = report;
  }

  /**
   * Opens and empties the files: what an earlier run left there must not be taken for this one's.
   *
   * @param report gives what is to be written in the end; nothing is where it gives undefined.
   * @throws {UsageError} where a file cannot be written, or is named twice.
   */
  static async open(
    targets: readonly ReportTarget[],
    report: () => RunReport | undefined,
  ): Promise<ReportFiles> {
    const files = new ReportFiles(report);
    for (const target of targets) {
      try {
        if (files.#files.some(({ path }) => path === target.path)) {
          throw new Error("it is named twice");
        }
        const file = await Deno.open(target.path, { write: true, create: true, truncate: true });
        files.#files.push({ ...target, file });
      } catch (error) {
        files.#close();
        throw cannotWrite(target.path, error);
      }
    }
    return files;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const report = this.#report();
      if (report === undefined || this.#files.length === 0) return;
      const { renderReport } = await import("../report/render.ts");
      for (const { format, file, path } of this.#files) {
        await writeAll(file, renderReport(format, report)).catch((error) => {
          throw cannotWrite(path, error);
        });
      }
    } finally {
      this.#close();
    }
  }

  #close(): void {
    for (const { file } of this.#files.splice(0)) file.close();
  }
}

async function writeAll(file: Deno.FsFile, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** The error that says that a file cannot be written, and why. */
export function cannotWrite(path: string, error: unknown): Error {
  if (error instanceof Deno.errors.NotCapable) return error;
  const why = reasonOf(error);
  return new UsageError(`Cannot write the report ${path}: ${why}`);
}
