/**
 * The option `--rerun-failed`: runs only what failed in an earlier run.
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
/** The outcomes that make only a strict run fail. */
const STRICTLY: ReadonlySet<Outcome> = new Set(["warn", "retried"]);

/** The part of an earlier run to be repeated. */
export interface Rerun {
  /** That run's seed, which repeats its random choices. */
  readonly seed: number;
  /** Whether a case has to run in a direction. */
  wants(id: string, direction: Direction): boolean;
}

/**
 * Selects what failed in an earlier run, or did not reach a verdict.
 *
 * @param source the report's name in errors.
 * @param strict whether a warning counts as a failure.
 * @throws {UsageError} if nothing did, or a case is not in this version's catalogue.
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

/** The cases to repeat for an entry; for the leak check of parallel cases, all of those. */
function causesOf(entry: ReportedCase, { cases }: RunReport): readonly ReportedCase[] {
  if (entry.id !== NOTHING_LEFT.id) return [entry];
  return cases.filter(({ id, direction }) =>
    direction === entry.direction && id !== entry.id && findCase(id)?.alone === undefined
  );
}

function nameOf({ id, direction }: Pick<ReportedCase, "id" | "direction">): string {
  return `${id} (${direction})`;
}
