/**
 * The option `--rerun-failed`: only what failed in an earlier run.
 *
 * @module
 */
import type { Outcome } from "../core/outcome.ts";
import type { Direction } from "../core/plan.ts";
import { NOTHING_LEFT } from "../core/parallel_leaks.ts";
import type { ReportedCase, RunReport } from "../report/model.ts";
import { findCase } from "../suites/catalogue.ts";
import { UsageError } from "../core/error.ts";

const FAILED: ReadonlySet<Outcome> = new Set(["fail", "timeout", "broken", "unexpected-pass"]);
/** What also makes a strict run fail. */
const STRICTLY: ReadonlySet<Outcome> = new Set(["warn", "retried"]);

/** What is to run of an earlier run. */
export interface Rerun {
  /** The seed of that run, which repeats its random choices. */
  readonly seed: number;
  /** Whether a case is to run in a direction. */
  wants(id: string, direction: Direction): boolean;
}

/**
 * What failed in an earlier run, or did not come to a verdict.
 *
 * @param source where the report comes from, for errors.
 * @param strict whether a warning is a failure.
 * @throws {UsageError} where that is nothing, or is not in this version's catalogue.
 */
export function rerunOf(report: RunReport, source: string, strict: boolean): Rerun {
  const isWanted = ({ verdict }: ReportedCase) =>
    verdict === undefined || FAILED.has(verdict.outcome) ||
    strict && STRICTLY.has(verdict.outcome);
  const failed = report.cases.filter(isWanted);
  if (failed.length === 0) {
    throw new UsageError(`Nothing failed in ${source}, so there is nothing to run`);
  }
  const wanted = new Set(failed.flatMap((entry) => causesOf(entry, report)).map(nameOf));
  const gone = failed.find(({ id }) => id !== NOTHING_LEFT.id && findCase(id) === undefined);
  if (gone !== undefined) {
    throw new UsageError(
      `Cannot rerun what failed in ${source}: this version has no case ${gone.id}`,
    );
  }
  return {
    seed: report.seed,
    wants: (id, direction) => wanted.has(nameOf({ id, direction })),
  };
}

/** A case, or for the leak check of parallel cases all those that it may be about. */
function causesOf(entry: ReportedCase, { cases }: RunReport): readonly ReportedCase[] {
  if (entry.id !== NOTHING_LEFT.id) return [entry];
  return cases.filter(({ id, direction }) =>
    direction === entry.direction && id !== entry.id && findCase(id)?.alone === undefined
  );
}

function nameOf({ id, direction }: Pick<ReportedCase, "id" | "direction">): string {
  return `${id} (${direction})`;
}
