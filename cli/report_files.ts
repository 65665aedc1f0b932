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

/** A file that is opened, and emptied, before there is anything to write to it. */
export class OutputFile implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  readonly #what: string;

  private constructor(file: Deno.FsFile, path: string, what: string) {
    this.#file = file;
    this.#path = path;
    this.#what = what;
  }

  /**
   * Opens it: what was left there before must not be taken for what is to come.
   *
   * @param what it is to be, as errors call it.
   * @throws {UsageError} where it cannot be written.
   */
  static async open(path: string, what: string): Promise<OutputFile> {
    try {
      const file = await Deno.open(path, { write: true, create: true, truncate: true });
      return new OutputFile(file, path, what);
    } catch (error) {
      throw cannotWrite(path, error, what);
    }
  }

  /** @throws {UsageError} where it can be written no more. */
  async write(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    try {
      for (let at = 0; at < bytes.length;) at += await this.#file.write(bytes.subarray(at));
    } catch (error) {
      throw cannotWrite(this.#path, error, this.#what);
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Files that are opened before a run, and written when disposed of, however the run ended. */
export class ReportFiles implements AsyncDisposable {
  readonly #files: (ReportTarget & { file: OutputFile })[] = [];
  readonly #report: () => RunReport | undefined;

  private constructor(report: () => RunReport | undefined) {
    this.#report = report;
  }

  /**
   * Opens the files.
   *
   * @param report gives what is to be written in the end; nothing is where it gives undefined.
   * @throws {UsageError} where a file cannot be written, or is named twice.
   */
  static async open(
    targets: readonly ReportTarget[],
    report: () => RunReport | undefined,
  ): Promise<ReportFiles> {
    const files = new ReportFiles(report);
    try {
      for (const target of targets) {
        if (files.#files.some(({ path }) => path === target.path)) {
          throw cannotWrite(target.path, new Error("it is named twice"));
        }
        files.#files.push({ ...target, file: await OutputFile.open(target.path, "report") });
      }
    } catch (error) {
      files.#close();
      throw error;
    }
    return files;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      const report = this.#report();
      if (report === undefined || this.#files.length === 0) return;
      const { renderReport } = await import("../report/render.ts");
      for (const { format, file } of this.#files) await file.write(renderReport(format, report));
    } finally {
      this.#close();
    }
  }

  #close(): void {
    for (const { file } of this.#files.splice(0)) file[Symbol.dispose]();
  }
}

/** The error that says that a file cannot be written, and why. */
export function cannotWrite(path: string, error: unknown, what = "report"): Error {
  if (error instanceof Deno.errors.NotCapable) return error;
  return new UsageError(`Cannot write the ${what} ${path}: ${reasonOf(error)}`);
}
