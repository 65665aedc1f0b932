/**
 * What the commands that run cases have in common: the run itself and its output.
 *
 * @module
 */
import { withAmended } from "../core/amended.ts";
import { Baseline } from "../core/baseline.ts";
import type { EventSink } from "../core/event.ts";
import { EXIT, exitCode } from "../core/outcome.ts";
import {
  type Direction,
  directionsOf,
  type Planned,
  planRun,
  type Topology,
} from "../core/plan.ts";
import { type RoundOptions, roundsOf } from "../core/round.ts";
import { withLook } from "../core/side_by_side.ts";
import { select } from "../core/selector.ts";
import type { Ends } from "../peer/controller.ts";
import { runPlan } from "../peer/run.ts";
import { KtapWriter } from "../report/ktap.ts";
import { type IntendedRun, ReportBuilder } from "../report/model.ts";
import { OutputError, screenOf, TerminalWriter } from "../report/terminal.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import type { ConformanceCase } from "../suites/kit.ts";
import { type ConductOptions, firstPort, roundsAsked } from "./conduct_options.ts";
import { type ReportFiles, withReports } from "./report_files.ts";
import { UsageError } from "./usage.ts";

/**
 * The cases that a user chose.
 *
 * @throws {UnmatchedSelectorError}
 */
export function chosenCases(selectors: readonly string[]): ConformanceCase[] {
  return select(CATALOGUE, selectors);
}

/** What is to be conducted: cases between two ends. */
export interface Conducted {
  readonly topology: Topology;
  readonly ends: Ends;
  readonly cases: readonly ConformanceCase[];
  /** What is known to fail. */
  readonly baseline: Baseline;
  /** Is told of each event, too. */
  readonly also?: EventSink;
  /** Says what a kernel died of, where an end was lost. */
  readonly postMortem?: () => Promise<readonly string[]>;
  /** How often the machines have gone away, and come back, without a word of their kernels. */
  readonly losses?: (() => number) | undefined;
  /** Sees to clean kernels where one has gone wrong, and says whether there are. */
  readonly onTainted?: ((why: string) => Promise<boolean>) | undefined;
}

/** Runs cases on two ends and shows what happens. */
export async function conduct(
  what: Conducted,
  options: ConductOptions,
  stop: AbortSignal,
): Promise<number> {
  const { topology, ends, cases } = what;
  const directions = directionsOf(topology, options.direction);
  const seed = options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  const rounds = { seed, repeat: roundsAsked(options), shuffle: options.shuffle };
  const { caseTimeout, report = [], jobs = 1 } = options;
  const looks = [ends.host, ends.guest].some(({ facts }) => facts.leaks !== undefined);
  const toRun = withLook(cases, jobs, looks);
  const plan = planRun(toRun, directions);
  const intended: IntendedRun = {
    argv: Deno.args,
    startedAt: new Date(),
    caseTimeout,
    plan: firstRound(plan, rounds),
    topology,
    seed,
  };
  const shown = outputs(directions, toRun.length, options);
  const body = (reports: ReportFiles) => {
    const builder = new ReportBuilder(intended);
    reports.from(() => builder.report());
    return shownAndReported({ ...what, plan, rounds, shown, builder }, options, stop);
  };
  return await withReports(report, intended, body, stop);
}

/** What is to be conducted, with what shows and reports it. */
interface Shown extends Conducted {
  readonly plan: readonly Planned[];
  readonly rounds: RoundOptions & { readonly repeat: number };
  readonly shown: readonly EventSink[];
  readonly builder: ReportBuilder;
}

async function shownAndReported(
  what: Shown,
  options: ConductOptions,
  stop: AbortSignal,
): Promise<number> {
  const { topology, ends, plan, rounds, baseline, builder, postMortem, losses, onTainted } = what;
  const { also = () => {} } = what;
  const { strict, jobs = 1, caseTimeout } = options;
  const sinks = [...what.shown, builder.sink, also];
  const lost = new AbortController();
  const kernels = [ends.host.facts.kernel, ends.guest.facts.kernel];
  const { counts, stopped } = await runPlan({
    ...rounds,
    topology,
    plan,
    ends,
    port: firstPort(options),
    jobs,
    timeout: caseTimeout,
    untilFailure: options.untilFailure,
    strict,
    sink: (event) => sinks.forEach((sink) => unlessLost(() => sink(event), lost)),
    stop: AbortSignal.any([stop, lost.signal]),
    judge: (run, verdict) => baseline.judge({ ...run, kernels }, verdict),
    postMortem,
    losses,
    onTainted,
    keepGoing: options.keepGoing,
  });
  lost.signal.throwIfAborted();
  if (options.ktap && rounds.repeat > 1) await writeKtap(builder);
  const code = exitCode(counts, strict);
  // A run that ended before its plan is never a success.
  const isGood = code === EXIT.ok || code === EXIT.skipped;
  return isGood && stopped !== undefined ? EXIT.broken : code;
}

/** Does something; output that is not taken any more ends the run, in order. */
function unlessLost(body: () => void, lost: AbortController): void {
  try {
    body();
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    lost.abort(error);
  }
}

/** What a user says is known to fail. */
export async function baselineOf({ baseline }: ConductOptions): Promise<Baseline> {
  if (baseline === undefined) return Baseline.none;
  let text: string;
  try {
    text = await Deno.readTextFile(baseline);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || !(error instanceof Error)) throw error;
    throw new UsageError(`Cannot read the baseline ${baseline}: ${error.message}`);
  }
  return Baseline.parse(text, baseline, CATALOGUE.map(({ id }) => id));
}

function outputs(
  directions: readonly Direction[],
  cases: number,
  options: ConductOptions,
): EventSink[] {
  if (!options.ktap) return [new TerminalWriter(screenOf(Deno.stdout)).sink];
  const terminal = new TerminalWriter(screenOf(Deno.stderr)).sink;
  // KTAP has one result for a case, which is not known before the last round.
  if (roundsAsked(options) > 1) return [terminal];
  const out = screenOf(Deno.stdout);
  const groups = directions.map((direction) => [direction, cases] as const);
  return [withAmended(new KtapWriter(groups, (line) => out.write(`${line}\n`)).sink), terminal];
}

/** The plan in the order in which the first round runs it. */
function firstRound(
  plan: readonly Planned[],
  rounds: RoundOptions,
): readonly Planned[] {
  const [first] = roundsOf(plan, rounds);
  return first?.plan ?? plan;
}

async function writeKtap(builder: ReportBuilder): Promise<void> {
  const report = builder.report();
  if (report === undefined) return;
  const { renderReport } = await import("../report/render.ts");
  screenOf(Deno.stdout).write(renderReport("ktap", report));
}

/** Deno takes SIGHUP over a moment later, and what it was is no longer to be seen. */
const OUTLIVES_TERMINAL = outlivesTerminal();

/** Whether this process was started with SIGHUP, 1, ignored, as nohup(1) does it. */
function outlivesTerminal(): boolean {
  try {
    return /^SigIgn:\s*\w*[13579bdf]$/m.test(Deno.readTextFileSync("/proc/self/status"));
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}

/**
 * Calls `body`, which gives an exit code, with a signal that Ctrl-C, SIGTERM, or a terminal that
 * goes away aborts.
 *
 * @returns the exit code; that of an interruption, however `body` ended, where there was one.
 */
export async function interruptible(
  body: (stop: AbortSignal) => Promise<number>,
): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => stop.abort(new Error("interrupted"));
  const listeners = [
    ["SIGINT", onSignal],
    ["SIGTERM", onSignal],
    ["SIGHUP", OUTLIVES_TERMINAL ? () => {} : onSignal],
  ] as const;
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  try {
    const code = await body(stop.signal);
    return stop.signal.aborted ? EXIT.interrupted : code;
  } catch (error) {
    if (stop.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
  }
}
