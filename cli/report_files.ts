import { EXIT } from "../core/outcome.ts";
import { reasonOf, UsageError } from "../core/error.ts";
import type { ReportFormat } from "../report/formats.ts";
import { type IntendedRun, reportNotStarted, type RunReport } from "../report/model.ts";
import { cannotWrite, OutputFile } from "./output_file.ts";
import { screenOf, writeStderr } from "../report/screen.ts";
import type { ReportTarget } from "./options/report.ts";

/** The reason in a report until the run has ended; it stays there after a SIGKILL. */
const PENDING = "it had not when this was written: it is still running, or was killed";
/** The reason if the command ended normally without beginning the run. */
const NOTHING_BEGAN = "the tool ended before it";

/**
 * Calls `body`, which returns an exit code, and then writes the reports of its run, no matter how
 * it ended; if the run never began, they say why. If a report cannot be written, that is an error
 * on standard error and turns a success into a failure, but the others are still written.
 *
 * @param intended what is known about the run before it begins.
 * @param body calls {@linkcode ReportFiles.from} to set the source of the report.
 * @param stop if aborted, the reason that the run ended.
 * @returns the exit code of `body`, or {@linkcode EXIT.broken} if that is a success but a report
 * could not be written.
 * @throws {UsageError} before `body` is called, if a file cannot be written or is named twice; what
 * `body` throws.
 */
export async function withReports(
  targets: readonly ReportTarget[],
  intended: IntendedRun,
  body: (reports: ReportFiles) => Promise<number>,
  stop?: AbortSignal,
): Promise<number> {
  using files = await ReportFiles.open(targets, intended);
  let code: number;
  try {
    code = await body(files);
  } catch (error) {
    await files.write(reasonOf(stop?.aborted ? stop.reason : error));
    throw error;
  }
  const isWritten = await files.write(NOTHING_BEGAN);
  const isGood = code === EXIT.ok || code === EXIT.skipped;
  return isGood && !isWritten ? EXIT.broken : code;
}

/** Files that are checked to be writable before a run, and written at its end. */
export class ReportFiles implements Disposable {
  readonly #files: (ReportTarget & { file: OutputFile })[] = [];
  readonly #intended: IntendedRun;
  #report: () => RunReport | undefined = () => undefined;

  private constructor(intended: IntendedRun) {
    this.#intended = intended;
  }

  /** Opens the files, see {@linkcode withReports}. */
  static async open(
    targets: readonly ReportTarget[],
    intended: IntendedRun,
  ): Promise<ReportFiles> {
    const files = new ReportFiles(intended);
    try {
      for (const target of targets) await files.#add(target);
    } catch (error) {
      await files.write(reasonOf(error));
      files[Symbol.dispose]();
      throw error;
    }
    return files;
  }

  async #add(target: ReportTarget): Promise<void> {
    const { format, path } = target;
    const meanwhile = await rendered(format, reportNotStarted(this.#intended, PENDING));
    const file = await OutputFile.open(path, "report", meanwhile);
    const isTwice = this.#files.some((other) => other.file.identity === file.identity);
    this.#files.push({ ...target, file });
    if (isTwice) throw cannotWrite(path, new Error("it is named twice"), "report");
  }

  /** Sets the source of the report once the run can begin; undefined means none yet. */
  from(report: () => RunReport | undefined): void {
    this.#report = report;
  }

  /**
   * Writes all files; errors go to standard error.
   *
   * @param why the run never began, if it did not.
   * @returns whether all were written.
   */
  async write(why: string): Promise<boolean> {
    if (this.#files.length === 0) return true;
    const report = this.#report() ?? reportNotStarted(this.#intended, why);
    let isWhole = true;
    for (const { format, path, file } of this.#files) {
      try {
        await file.write(await rendered(format, report));
      } catch (error) {
        isWhole = false;
        const known = error instanceof UsageError ? error : cannotWrite(path, error, "report");
        writeStderr(`error: ${reasonOf(known)}\n`);
      }
    }
    return isWhole;
  }

  [Symbol.dispose](): void {
    for (const { file } of this.#files.splice(0)) file[Symbol.dispose]();
  }
}

/** Renders a report; the module for a format is loaded when needed. */
async function rendered(format: ReportFormat, report: RunReport): Promise<string> {
  const { renderReport } = await import("../report/render.ts");
  return renderReport(format, report);
}

/** Writes a report as KTAP to standard output, if asked for. */
export async function writeKtap(
  form: "ktap" | "ktap-flat" | undefined,
  report: RunReport,
): Promise<void> {
  if (form !== undefined) screenOf(Deno.stdout).write(await rendered(form, report));
}
