import { EXIT } from "../core/outcome.ts";
import { reasonOf, UsageError } from "../core/error.ts";
import type { ReportFormat } from "../report/formats.ts";
import { type IntendedRun, reportNotStarted, type RunReport } from "../report/model.ts";
import { cannotWrite, OutputFile } from "./output_file.ts";
import { screenOf, writeStderr } from "../report/screen.ts";
import type { ReportTarget } from "./options/report.ts";

/** What a report says until the run has ended, for whoever finds it after a SIGKILL. */
const PENDING = "it had not when this was written, and is under way since or was killed";
/** What it says if the run ended normally without having begun. */
const NOTHING_BEGAN = "the tool ended before it";

/**
 * Calls `body`, which gives an exit code, and then writes the reports of its run, however it ended:
 * those of a run that never began say why. A report that cannot be written is an error on standard
 * error and turns a success into a failure; the others are still written.
 *
 * @param intended what is known of the run before it begins.
 * @param body says with {@linkcode ReportFiles.from} where the report is to come from.
 * @param stop what ended the run, if that is aborted.
 * @returns the exit code of `body`, or, where that is a success and a report could not be written,
 * {@linkcode EXIT.broken}.
 * @throws {UsageError} before `body` is called, where a file cannot be written or is named twice;
 * what `body` throws.
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

/** Files that were checked to be writable before a run, and are written at its end. */
export class ReportFiles implements Disposable {
  readonly #files: (ReportTarget & { file: OutputFile })[] = [];
  readonly #intended: IntendedRun;
  #report: () => RunReport | undefined = () => undefined;

  private constructor(intended: IntendedRun) {
    this.#intended = intended;
  }

  /** As {@linkcode withReports} opens them. */
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

  /** Says where the report comes from, once the run can begin; undefined is none yet. */
  from(report: () => RunReport | undefined): void {
    this.#report = report;
  }

  /**
   * Writes all that can be written; errors go to standard error.
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

/** A report as text; its writers are loaded when there is something for them. */
async function rendered(format: ReportFormat, report: RunReport): Promise<string> {
  const { renderReport } = await import("../report/render.ts");
  return renderReport(format, report);
}

/** Writes a report as KTAP to standard output, if that was asked for. */
export async function writeKtap(
  form: "ktap" | "ktap-flat" | undefined,
  report: RunReport,
): Promise<void> {
  if (form !== undefined) screenOf(Deno.stdout).write(await rendered(form, report));
}
