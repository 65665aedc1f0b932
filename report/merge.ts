/**
 * One report of several: the shards of a run, or runs of different directions.
 *
 * @module
 */
import { RetryCount } from "../core/run_facts.ts";
import { REPORT_VERSION, type ReportedCase, ReportError, type RunReport } from "./model.ts";

/**
 * Makes one report of several of the same topology.
 *
 * @param reports none has a case, in a direction, that another one has.
 * @param argv what the tool was called with.
 * @throws {ReportError} where they cannot be parts of one run.
 */
export function mergeReports(reports: readonly RunReport[], argv: readonly string[]): RunReport {
  const [first] = reports;
  if (first === undefined) throw new ReportError("There is nothing to merge");
  const { topology, seed, tool, commit, lab, ends } = first;
  for (const each of reports) requireAlike(first, each);
  const retries = new RetryCount();
  for (const retry of reports.flatMap((each) => each.retries ?? [])) retries.add(retry);
  const starts = reports.map(({ startedAt }) => startedAt).sort();
  const stopped = whatIsMissing(reports);
  return {
    ...{ format: first.format, version: REPORT_VERSION, tool, argv, topology, seed },
    ...commit === undefined ? {} : { commit },
    ...lab === undefined ? {} : { lab },
    ...sameAgain(reports),
    startedAt: starts[0] ?? first.startedAt,
    milliseconds: reports.reduce((sum, each) => sum + each.milliseconds, 0),
    caseTimeout: Math.max(...reports.map(({ caseTimeout }) => caseTimeout)),
    ends: reports.find((each) => each.ends.length > 0)?.ends ?? ends,
    ...retries.all.length === 0 ? {} : { retries: retries.all },
    cases: allCases(reports),
    ...stopped === undefined ? {} : { stopped: { reason: stopped } },
  };
}

/** Where a report comes from, for messages. */
function nameOf({ shard }: RunReport, at: number): string {
  return shard === undefined ? `report ${at}` : `shard ${shard.index} of ${shard.count}`;
}

function requireAlike(first: RunReport, each: RunReport): void {
  const facts = [
    ["topologies", first.topology, each.topology],
    ["versions of the tool", first.tool, each.tool],
    ["kernels", kernelOf(first), kernelOf(each)],
    ["numbers of shards", first.shard?.count, each.shard?.count],
  ] as const;
  for (const [what, one, other] of facts) {
    if (one === other || one === "" || other === "") continue;
    throw new ReportError(`Cannot merge runs with different ${what}: ${one} and ${other}`);
  }
}

/** The command that repeats cases, where it is the same for all. */
function sameAgain(reports: readonly RunReport[]): Pick<RunReport, "again"> {
  const again = reports[0]?.again;
  const key = JSON.stringify(again);
  const isSame = reports.every((each) => JSON.stringify(each.again) === key);
  return again === undefined || !isSame ? {} : { again };
}

/** The kernels of the ends; empty where the run never began. */
function kernelOf({ ends }: RunReport): string {
  return ends.map(({ kernel }) => kernel).join(", ");
}

function allCases(reports: readonly RunReport[]): ReportedCase[] {
  const seen = new Map<string, number>();
  const all = reports.flatMap((report, i) => {
    for (const { id, direction } of report.cases) {
      const name = `${direction} ${id}`;
      const before = seen.get(name);
      if (before !== undefined) {
        const [one, other] = [reports[before - 1] ?? report, report];
        throw new ReportError(
          `Cannot merge: ${id} (${direction}) is in ${nameOf(one, before)} and in ` +
            nameOf(other, i + 1),
        );
      }
      seen.set(name, i + 1);
    }
    if (report.seed === reports[0]?.seed) return report.cases;
    // Each shard may have drawn a seed of its own.
    return report.cases.map((entry) =>
      entry.verdict === undefined ? entry : { ...entry, seed: entry.seed ?? report.seed }
    );
  });
  // A report has one direction after the other.
  const directions = [...new Set(all.map(({ direction }) => direction))];
  return directions.flatMap((wanted) => all.filter(({ direction }) => direction === wanted));
}

/** What of the whole run there is no verdict for, and why; undefined where nothing is missing. */
function whatIsMissing(reports: readonly RunReport[]): string | undefined {
  const reasons = reports.flatMap((report, i) => {
    const reason = report.stopped?.reason ?? report.notStarted?.reason;
    return reason === undefined ? [] : [`${nameOf(report, i + 1)}: ${reason}`];
  });
  const count = reports[0]?.shard?.count ?? 0;
  const there = new Set(reports.map(({ shard }) => shard?.index));
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter((i) => !there.has(i));
  if (missing.length > 0) reasons.push(`there is no shard ${missing.join(", ")} of ${count}`);
  return reasons.length === 0 ? undefined : reasons.join("; ");
}
