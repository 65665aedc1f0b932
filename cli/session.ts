/**
 * A run of a command that is reported no matter how it ends, even if it never begins.
 *
 * @module
 */
import { withAmended } from "../core/amended.ts";
import { Baseline } from "../core/baseline.ts";
import { withKnownIssue } from "../core/known_issues.ts";
import {
  type EventSink,
  type LabFacts,
  type Retry,
  type RunEvent,
  type RunFacts,
  troubleBefore,
} from "../core/event.ts";
import { EXIT, exitCode } from "../core/outcome.ts";
import { directionsOf, type Planned, planRun, type Topology } from "../core/plan.ts";
import { reasonOf, UsageError } from "../core/error.ts";
import { type RoundOptions, roundsOf } from "../core/round.ts";
import { withLeakCheck } from "../core/parallel_leaks.ts";
import type { Ends } from "../runner/case.ts";
import { type Between, runPlan, type RunResult } from "../runner/run.ts";
import { KtapWriter } from "../report/ktap.ts";
import { KtapFlatWriter } from "../report/ktap_flat.ts";
import { byDirection, type IntendedRun, ReportBuilder, reportNotStarted } from "../report/model.ts";
import { TerminalWriter } from "../report/terminal.ts";
import type { ConformanceCase } from "../kit/mod.ts";
import { withoutSecrets } from "./again.ts";
import { toolFacts } from "./commit.ts";
import { addCaseFiles } from "./case_files.ts";
import { baselineOf, chosenCases } from "./run_cases.ts";
import {
  type CasesOptions,
  firstPort,
  ktapForm,
  requireDirection,
  roundsAsked,
} from "./options/run.ts";
import { type ReportFiles, withReports, writeKtap } from "./report_files.ts";
import type { Rerun } from "./rerun.ts";
import { OutputError, screenOf } from "../report/screen.ts";
import { RetryCount } from "../core/run_facts.ts";

/** The machines on which cases run, once they are ready. */
export interface Machines {
  readonly ends: Ends;
  /** Also receives each event. */
  readonly also?: EventSink;
  /** Finds out what a kernel died of when contact with an end was lost. */
  readonly postMortem?: () => Promise<readonly string[]>;
  /** How often the VMs were lost and recovered without a kernel having logged a reason. */
  readonly losses?: (() => number) | undefined;
  /** Replaces kernels that can no longer be trusted; resolves to whether it could. */
  readonly onTainted?: ((why: string) => Promise<boolean>) | undefined;
  /** Looks at them between cases. */
  readonly between?: Between | undefined;
}

/** What is known about a run while it is being prepared. */
type Intention = { -readonly [K in keyof IntendedRun]: IntendedRun[K] };

/** A run that is being prepared, or is running. */
export class Session {
  readonly #options: CasesOptions;
  readonly #stop: AbortSignal;
  readonly #reports: ReportFiles;
  readonly #intention: Intention;
  readonly #retries = new RetryCount();
  #cases: readonly ConformanceCase[] = [];
  #rerun: Rerun | undefined;
  #baseline = Baseline.none;
  /** Receives the events of the run once it has begun. */
  #sink: EventSink | undefined;

  private constructor(
    options: CasesOptions,
    intention: Intention,
    reports: ReportFiles,
    stop: AbortSignal,
  ) {
    this.#options = options;
    this.#intention = intention;
    this.#reports = reports;
    this.#stop = stop;
  }

  /**
   * Opens the reports and then calls `body`, which prepares the run, calls {@linkcode runCases},
   * and returns the exit code. If the run never begins, the reports say why.
   *
   * @param topology how the ends will be connected, as far as known.
   * @param stop ends the run if aborted.
   */
  static async reported(
    options: CasesOptions,
    topology: Topology,
    stop: AbortSignal,
    body: (session: Session) => Promise<number>,
  ): Promise<number> {
    const intention: Intention = {
      argv: withoutSecrets(Deno.args),
      startedAt: new Date(),
      caseTimeout: options.caseTimeout,
      topology,
      seed: options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
      plan: [],
      facts: await factsOf(options),
    };
    const prepared = async (reports: ReportFiles): Promise<number> => {
      const session = new Session(options, intention, reports, stop);
      try {
        return await body(session);
      } catch (error) {
        if (session.#sink === undefined) {
          const why = reasonOf(stop.aborted ? stop.reason : error);
          await writeKtap(ktapForm(options), reportNotStarted(intention, why));
        }
        throw error;
      }
    };
    return await withReports(options.report ?? [], intention, prepared, stop);
  }

  /**
   * Sets the cases that the user chose, and the baseline.
   *
   * @throws {UnmatchedSelectorError} {@linkcode UsageError} {@linkcode BaselineError}
   */
  async choose(selectors: readonly string[]): Promise<void> {
    const { exclude = [], quick, shard, rerunFailed, strict = false } = this.#options;
    await addCaseFiles(this.#options.cases);
    const patterns = [...selectors, ...exclude.map((pattern) => `!${pattern}`)];
    this.#cases = chosenCases(patterns, quick, shard);
    this.#baseline = await baselineOf(this.#options);
    if (rerunFailed === undefined) return;
    const [{ readReport }, { rerunOf }] = await Promise.all([
      import("./read_report.ts"),
      import("./rerun.ts"),
    ]);
    this.#rerun = rerunOf(await readReport(rerunFailed), rerunFailed, strict);
    this.#intention.seed = this.#options.seed ?? this.#rerun.seed;
  }

  /**
   * Sets how the ends are connected.
   *
   * @throws {UsageError} if none of the chosen cases can run that way.
   */
  place(topology: Topology): void {
    requireDirection(topology, this.#options.direction);
    firstPort(this.#options);
    this.#intention.topology = topology;
    this.#intention.plan = firstRound(this.#plan(false), this.#rounds);
    if (this.#intention.plan.length > 0) return;
    throw new UsageError(
      `Nothing is left to run: none of what failed in ${this.#options.rerunFailed} was chosen, ` +
        `or can run on ${topology}`,
    );
  }

  /** Sets the lab that the ends are in. */
  useLab(lab: LabFacts): void {
    this.#intention.facts = { ...this.#intention.facts, lab };
  }

  /** Records a retry before or during the run. */
  readonly retried = (retry: Retry): void => {
    if (this.#sink !== undefined) return this.#sink({ type: "retry", ...retry });
    this.#retries.add(retry);
    this.#intention.retries = this.#retries.all;
  };

  /**
   * Runs the cases, shows what happens, and returns the exit code.
   *
   * @param stop ends the run if aborted; so does the session's own signal.
   */
  async runCases(
    { ends, also = () => {}, postMortem, losses, onTainted, between }: Machines,
    stop: AbortSignal = this.#stop,
  ): Promise<number> {
    const { strict = false, jobs = 1, caseTimeout, failFast, untilFailure, keepGoing } =
      this.#options;
    if (strict) refuseTrouble(ends);
    const checksLeaks = [ends.host, ends.guest].some(({ facts }) => facts.leaks !== undefined);
    const plan = this.#plan(checksLeaks);
    const rounds = this.#rounds;
    const builder = this.#builder(firstRound(plan, rounds));
    const lost = new AbortController();
    const sink = this.#begin([...this.#outputs(plan), builder.sink, also], lost);
    const kernels = [ends.host.facts.kernel, ends.guest.facts.kernel];
    const end = await runPlan({
      ...{
        ...rounds,
        plan,
        ends,
        jobs,
        strict,
        sink,
        postMortem,
        losses,
        onTainted,
        keepGoing,
        between,
      },
      topology: this.#intention.topology,
      port: firstPort(this.#options),
      timeout: caseTimeout,
      failFast: untilFailure ? "--until-failure" : failFast ? "--fail-fast" : undefined,
      stop: AbortSignal.any([stop, lost.signal]),
      judge: (run, verdict) => {
        const where = { ...run, kernels };
        return withKnownIssue(where, this.#baseline.judge(where, verdict));
      },
    });
    lost.signal.throwIfAborted();
    const report = builder.report();
    if (rounds.repeat > 1 && report !== undefined) {
      await writeKtap(ktapForm(this.#options), report);
    }
    return this.#exitCode(end);
  }

  /** Builds the report of a run that begins now, for the files that the user named. */
  #builder(plan: readonly Planned[]): ReportBuilder {
    const builder = new ReportBuilder({ ...this.#intention, startedAt: new Date(), plan });
    this.#reports.from(() => builder.report());
    return builder;
  }

  /**
   * From here on events go to these sinks, beginning with the retries made so far.
   *
   * @param lost aborted when an output can no longer be written.
   */
  #begin(sinks: readonly EventSink[], lost: AbortController): EventSink {
    const sink = this.#sink = (event: RunEvent) => {
      if (event.type === "retry") this.#retries.add(event);
      const whole = event.type === "run-start" ? { ...event, ...this.#intention.facts } : event;
      sinks.forEach((sink) => unlessLost(() => sink(whole), lost));
    };
    for (const retry of this.#retries.take()) sink({ type: "retry", ...retry });
    return sink;
  }

  #exitCode({ counts, stopped }: RunResult): number {
    const { strict = false } = this.#options;
    const code = exitCode(counts, strict);
    const isGood = code === EXIT.ok || code === EXIT.skipped;
    // A run that stopped before the end of its plan is never a success.
    if (isGood && stopped !== undefined) return EXIT.broken;
    return isGood && strict && this.#retries.all.length > 0 ? EXIT.failed : code;
  }

  get #rounds(): RoundOptions & { readonly repeat: number } {
    const { shuffle } = this.#options;
    return { seed: this.#intention.seed, repeat: roundsAsked(this.#options), shuffle };
  }

  /** The plan, with a leak check after cases that run in parallel, if leaks can be checked. */
  #plan(checksLeaks: boolean): readonly Planned[] {
    const { direction, jobs = 1 } = this.#options;
    return directionsOf(this.#intention.topology, direction).flatMap((direction) => {
      const cases = this.#cases.filter(({ id }) => this.#rerun?.wants(id, direction) ?? true);
      return planRun(withLeakCheck(cases, jobs, checksLeaks), [direction]);
    });
  }

  /** The outputs that show the run while it is running. */
  #outputs(plan: readonly Planned[]): EventSink[] {
    const { quiet } = this.#options;
    const form = ktapForm(this.#options);
    const screen = screenOf(form === undefined ? Deno.stdout : Deno.stderr);
    const terminal = new TerminalWriter(screen, { quiet }).sink;
    // KTAP has one result per case, which is known only after the last round.
    if (form === undefined || roundsAsked(this.#options) > 1) return [terminal];
    const out = screenOf(Deno.stdout);
    const write = (line: string) => out.write(`${line}\n`);
    const groups = byDirection(plan).map(([direction, all]) => [direction, all.length] as const);
    const ktap = form === "ktap"
      ? new KtapWriter(groups, write)
      : new KtapFlatWriter(plan.length, write);
    return [withAmended(ktap.sink), terminal];
  }
}

async function factsOf({ again, shard }: CasesOptions): Promise<RunFacts> {
  return {
    ...await toolFacts(),
    ...(again === undefined ? {} : { again }),
    ...(shard === undefined ? {} : { shard }),
  };
}

/** @throws {UsageError} if a kernel was tainted by a fault before a strict run. */
function refuseTrouble({ host, guest }: Ends): void {
  const trouble = [...new Set([host, guest].flatMap(({ facts }) => troubleBefore(facts)))];
  if (trouble.length === 0) return;
  throw new UsageError(
    `--strict: ${trouble.join("; ")}: boot it again, or leave --strict out`,
  );
}

/** Calls `body`; if its output can no longer be written, the run ends cleanly. */
function unlessLost(body: () => void, lost: AbortController): void {
  try {
    body();
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    lost.abort(error);
  }
}

/** The plan in the order in which the first round runs it. */
function firstRound(plan: readonly Planned[], rounds: RoundOptions): readonly Planned[] {
  const [first] = roundsOf(plan, rounds);
  return first?.plan ?? plan;
}
