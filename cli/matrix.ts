/**
 * The command `matrix run`: cases on several kernels, topologies and architectures, one after the
 * other, and one page of all of them.
 *
 * @module
 */
import { reasonOf, UsageError } from "../core/error.ts";
import { EXIT } from "../core/outcome.ts";
import type { RunReport } from "../report/model.ts";
import { matrixMarkdown } from "../report/matrix/markdown.ts";
import { matrixHtml } from "../report/matrix/page.ts";
import { headline } from "../report/text.ts";
import { writeStderr } from "../report/screen.ts";
import { labProcess } from "./lab_process.ts";
import { type MatrixAxes, matrixJobs } from "./matrix_jobs.ts";
import { interruptible } from "./signals.ts";

/** What `matrix run` is given, besides what it is over. */
export interface MatrixOptions {
  /** The folder of everything that is written. */
  readonly output: string;
  readonly exclude?: readonly string[] | undefined;
  readonly quick?: true | undefined;
  /** In milliseconds, as all times. */
  readonly caseTimeout: number;
  readonly timeout: number;
  readonly quiet?: true | undefined;
}

/** The exit codes of runs, the worst first; what is not listed is worse than all. */
const BY_BADNESS: readonly number[] = [EXIT.failed, EXIT.broken, EXIT.unavailable, EXIT.skipped];

/**
 * Runs every combination, also after one that did not start, and writes the page.
 *
 * @returns the worst exit code of the runs.
 */
export function matrix(
  cases: readonly string[],
  options: MatrixAxes & MatrixOptions,
): Promise<number> {
  const { output, exclude = [], quick, caseTimeout, timeout, quiet } = options;
  const jobs = matrixJobs(options);
  const common = [
    ...exclude.flatMap((pattern) => ["--exclude", pattern]),
    ...(quick ? ["--quick"] : []),
    ...["--case-timeout", `${caseTimeout / 1000}`, "--timeout", `${timeout / 1000}`],
    ...(quiet ? ["--quiet"] : []),
  ];
  return interruptible(async (stop) => {
    await makeFolder(output);
    const reports: RunReport[] = [];
    const codes: number[] = [];
    for (const [i, { name, args }] of jobs.entries()) {
      if (stop.aborted) break;
      writeStderr(`matrix: ${i + 1} of ${jobs.length}: ${name}\n`);
      const path = `${output}/${name}.json`;
      const { code, report } = await labProcess([...args, ...common, ...cases], path, stop);
      reports.push(report);
      codes.push(code);
      writeStderr(`matrix: ${name}: ${headline(report)}\n`);
      // After each: a page of what there is, should the next one take the machine with it.
      await Deno.writeTextFile(`${output}/index.html`, matrixHtml(reports));
      await Deno.writeTextFile(`${output}/matrix.md`, matrixMarkdown(reports));
    }
    return worstOf(codes);
  });
}

/** The worst of exit codes. */
export function worstOf(codes: readonly number[]): number {
  const bad = codes.filter((code) => code !== EXIT.ok);
  const rank = (code: number) => BY_BADNESS.indexOf(code);
  return bad.sort((a, b) => rank(a) - rank(b))[0] ?? EXIT.ok;
}

async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    throw new UsageError(`Cannot make the folder ${path}: ${reasonOf(error)}`);
  }
}
