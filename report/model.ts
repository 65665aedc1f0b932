/**
 * The report of a run: what every output can be made from. It is folded from the run's events, kept
 * as JSON (docs/run-report.schema.json), and played again as events.
 *
 * @module
 */
import { type Level, levelOf, referenceText, upstreamName } from "../core/case.ts";
import type { CaseRun, EndFacts, EventSink, Retry, RunEvent, RunFacts } from "../core/event.ts";
import { countOutcomes, type Counts, type Verdict } from "../core/outcome.ts";
import type { Direction, Planned, Topology } from "../core/plan.ts";
import { type CaseRounds, type Outcomes, type Round, RoundTable } from "../core/round.ts";
import { referenceUrl } from "../core/reference_url.ts";
import { VERSION } from "../core/version.ts";
import { factsOf, RetryCount } from "../core/run_facts.ts";

/** What the field `format` of a report says. */
export const REPORT_FORMAT = "vsock-conformance-run";
/** The version of the report's form. A change that a reader must know of makes it the next. */
export const REPORT_VERSION = 2;

/** Where a requirement is written down. */
export interface ReportedReference {
  /** What it is, in one line. */
  readonly text: string;
  /** Where it can be read: a URL with https. */
  readonly url: string;
}

/** A case of the plan, in one direction, and how it ended. */
export interface ReportedCase {
  /** `family/topic/claim`. */
  readonly id: string;
  /** One line for people. */
  readonly title: string;
  /** One sentence that says MUST or SHOULD. */
  readonly requirement: string;
  /** Which of the two it says. */
  readonly level: Level;
  /** The name of the case in tools/testing/vsock that it was ported from, if any. */
  readonly upstream?: string;
  /** Where the requirement is written down; missing in reports of older versions of the tool. */
  readonly refs?: readonly ReportedReference[];
  /** Which end played the server. */
  readonly direction: Direction;
  /** What KCIDB calls it, dots between its parts; missing in a report of version 1. */
  readonly kcidb?: string;
  /** The worst of all rounds; missing where the case did not run, or did not end. */
  readonly verdict?: Verdict;
  /** How often it had which outcome, where it ran in more rounds than one. */
  readonly outcomes?: Outcomes;
  /** Repeats the verdict's round with `--seed`, where there were several. */
  readonly seed?: number;
}

/** Why a run ended before its plan did. */
export interface Stopped {
  /** What stopped it: an interruption, a lost end. */
  readonly reason: string;
  /**
   * The first of the report's cases that had begun then without ever having ended, counted from 1;
   * missing if none had.
   */
  readonly during?: number;
}

/** Why a run never began: there is no verdict, and nothing was learnt. */
export interface NotStarted {
  /** What kept it from beginning: a lab that did not boot, an agent that is not there. */
  readonly reason: string;
}

/** A run from its plan to its verdicts. */
export interface RunReport extends RunFacts {
  /** Tells a report from other JSON. */
  readonly format: typeof REPORT_FORMAT;
  /** The version of the report's form. */
  readonly version: typeof REPORT_VERSION;
  /** The version of the tool that made the run. */
  readonly tool: string;
  /** What the tool was called with. */
  readonly argv: readonly string[];
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** How long the run took, in milliseconds. */
  readonly milliseconds: number;
  /** How the two ends were connected. */
  readonly topology: Topology;
  /** Repeats the run's randomness with `--seed`. */
  readonly seed: number;
  /** A case's deadline, in milliseconds. */
  readonly caseTimeout: number;
  /** The two machines; one on loopback; none where the run never began. */
  readonly ends: readonly EndFacts[];
  /** What was done again; missing where nothing was. */
  readonly retries?: readonly Retry[];
  /** How many rounds there were, the one that was stopped included; missing where that is one. */
  readonly rounds?: number;
  /** The whole plan, in the order of the first round: direction by direction. */
  readonly cases: readonly ReportedCase[];
  /** There where cases did not run. */
  readonly stopped?: Stopped;
  /** There where the run never began; no case has a verdict then. */
  readonly notStarted?: NotStarted;
}

/** A text that is no report, or none that this version of the tool reads. */
export class ReportError extends Error {
  /** Tells it from other errors. */
  override readonly name = "ReportError";
}

/** What a report says of a run that the run's events do not. */
export interface RunSetting {
  /** What the tool was called with. */
  readonly argv: readonly string[];
  /** When the run began. */
  readonly startedAt: Date;
  /** A case's deadline, in milliseconds. */
  readonly caseTimeout: number;
  /** What is to run. */
  readonly plan: readonly Planned[];
}

/** What is known of a run before its ends are. */
export interface IntendedRun extends RunSetting {
  /** What makes it, and on what. */
  readonly facts?: RunFacts;
  /** What was done again before it could begin. */
  readonly retries?: readonly Retry[];
  /** How its two ends are to be connected. */
  readonly topology: Topology;
  /** What its randomness is to be drawn from. */
  readonly seed: number;
}

/** The report of a run that never began: its whole plan, without a verdict. */
export function reportNotStarted(intended: IntendedRun, reason: string): RunReport {
  const { argv, startedAt, caseTimeout, topology, seed, plan, retries = [] } = intended;
  return {
    format: REPORT_FORMAT,
    version: REPORT_VERSION,
    tool: VERSION,
    ...factsOf(intended.facts ?? {}),
    argv,
    startedAt: startedAt.toISOString(),
    milliseconds: Math.max(0, Date.now() - startedAt.getTime()),
    topology,
    seed,
    caseTimeout,
    ends: [],
    ...(retries.length === 0 ? {} : { retries }),
    cases: plan.map((planned) => reported(planned, undefined, undefined)),
    notStarted: { reason },
  };
}

/** Folds the events of a run into its report. */
export class ReportBuilder {
  readonly #setting: RunSetting;
  readonly #cases = new RoundTable();
  #start: Extract<RunEvent, { type: "run-start" }> | undefined;
  /** Those that have begun and not ended, by their names. */
  readonly #begun = new Set<string>();
  #round: Pick<Round, "number" | "seed"> = { number: 1, seed: 0 };
  readonly #retries = new RetryCount();
  #stopped: string | undefined;
  #milliseconds: number | undefined;

  /** Begins the report of a run, with what the run's events do not say of it. */
  constructor(setting: RunSetting) {
    this.#setting = setting;
  }

  /** Takes the next event. */
  readonly sink: EventSink = (event) => {
    switch (event.type) {
      case "run-start":
        this.#start = event;
        break;
      case "round-start":
        this.#round = { number: event.round, seed: event.seed };
        break;
      case "case-start":
        this.#begun.add(nameOf(event.run));
        break;
      case "case-end":
        this.#begun.delete(nameOf(event.run));
        this.#cases.of(event.run).add(event.verdict, this.#round);
        break;
      case "case-amended":
        this.#cases.of(event.run).amend(event.verdict);
        break;
      case "retry":
        this.#retries.add(event);
        break;
      case "run-stopped":
        this.#stopped = event.reason;
        break;
      case "run-end":
        this.#milliseconds = event.milliseconds;
        break;
    }
  };

  /** The report of what has happened so far; undefined where the run has not begun. */
  report(): RunReport | undefined {
    if (this.#start === undefined) return undefined;
    const { argv, startedAt, caseTimeout } = this.#setting;
    const { topology, seed, ends } = this.#start;
    const retries = this.#retries.all;
    const cases = this.#reported();
    const verdicts = verdictsOf({ cases });
    const reason = this.#stopped ?? "the tool could not go on";
    const isBegun = (entry: ReportedCase) =>
      entry.verdict === undefined && this.#begun.has(nameOf(entry));
    const during = cases.findIndex(isBegun) + 1;
    const stopped = during === 0 ? { reason } : { reason, during };
    const spent = () => verdicts.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    return {
      format: REPORT_FORMAT,
      version: REPORT_VERSION,
      tool: VERSION,
      ...factsOf(this.#start),
      argv,
      startedAt: startedAt.toISOString(),
      milliseconds: this.#milliseconds ?? spent(),
      topology,
      seed,
      caseTimeout,
      ends,
      ...(retries.length === 0 ? {} : { retries }),
      ...(this.#round.number > 1 ? { rounds: this.#round.number } : {}),
      cases,
      // A run that lost an end in its last case is stopped, with nothing left to run.
      ...(this.#stopped !== undefined || verdicts.length < cases.length ? { stopped } : {}),
    };
  }

  #reported(): ReportedCase[] {
    return this.#setting.plan.map((planned) => {
      const rounds = this.#cases.of({ ...planned, id: planned.case.id });
      return reported(planned, rounds.verdict, this.#round.number > 1 ? rounds : undefined);
    });
  }
}

function reported(
  { case: info, direction }: Planned,
  verdict: Verdict | undefined,
  rounds: Pick<CaseRounds, "outcomes" | "seed"> | undefined,
): ReportedCase {
  const upstream = upstreamName(info);
  return {
    id: info.id,
    title: info.title,
    requirement: info.requirement,
    level: levelOf(info) ?? "must",
    ...(upstream === undefined ? {} : { upstream }),
    refs: info.refs.map((ref) => ({ text: referenceText(ref), url: referenceUrl(ref) })),
    direction,
    kcidb: `vsock-conformance.${direction}.${info.id.replaceAll("/", ".")}`,
    ...(verdict === undefined ? {} : { verdict }),
    ...(verdict === undefined || rounds === undefined ? {} : { outcomes: rounds.outcomes }),
    ...(verdict === undefined || rounds?.seed === undefined ? {} : { seed: rounds.seed }),
  };
}

function nameOf({ id, direction }: Pick<CaseRun, "id" | "direction">): string {
  return `${id} (${direction})`;
}

/** The verdicts of a report, in the order of its plan. */
export function verdictsOf(report: Pick<RunReport, "cases">): Verdict[] {
  return report.cases.flatMap(({ verdict }) => verdict ?? []);
}

/** How many verdicts of each outcome a report has. */
export function countsOf(report: Pick<RunReport, "cases">): Counts {
  return countOutcomes(verdictsOf(report));
}

/** The cases of a report, direction by direction. */
export function byDirection<C extends Pick<ReportedCase, "direction">>(
  cases: readonly C[],
): [Direction, C[]][] {
  return [...Map.groupBy(cases, ({ direction }) => direction)];
}

/** Plays a report as the events that it was folded from. */
export function replay(report: RunReport, sink: EventSink): void {
  const { topology, seed, ends, cases, stopped, notStarted, milliseconds, retries = [] } = report;
  for (const retry of retries) sink({ type: "retry", ...retry });
  if (notStarted !== undefined) {
    sink({ type: "run-not-started", reason: notStarted.reason });
    return;
  }
  const total = cases.length;
  sink({ type: "run-start", topology, seed, total, ends, ...factsOf(report) });
  cases.forEach(({ id, direction, title, verdict, seed: own }, i) => {
    const run = { number: i + 1, id, direction };
    if (verdict !== undefined || stopped?.during === run.number) {
      sink({ type: "case-start", run, title });
    }
    const repeats = own === undefined ? {} : { seed: own };
    if (verdict !== undefined) sink({ type: "case-end", run, title, verdict, ...repeats });
  });
  if (stopped !== undefined) {
    const notRun = cases.length - verdictsOf(report).length;
    sink({ type: "run-stopped", reason: stopped.reason, notRun });
  }
  sink({ type: "run-end", counts: countsOf(report), milliseconds });
}
