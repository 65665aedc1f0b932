/**
 * What the commands that run cases have in common: their options, the run itself, its output.
 *
 * @module
 */
import type { Command } from "@commander-js/extra-typings";
import { Option } from "@commander-js/extra-typings";
import type { EventSink } from "../core/event.ts";
import { countOutcomes, EXIT, exitCode } from "../core/outcome.ts";
import {
  type Direction,
  DIRECTION_CHOICES,
  type DirectionChoice,
  directionsOf,
  planRun,
  type Topology,
} from "../core/plan.ts";
import { select } from "../core/selector.ts";
import { type Ends, runPlan } from "../peer/controller.ts";
import { REPORT_FORMATS } from "../report/formats.ts";
import { KtapWriter } from "../report/ktap.ts";
import { ReportBuilder } from "../report/model.ts";
import { screenOf, TerminalWriter } from "../report/terminal.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import type { ConformanceCase } from "../suites/kit.ts";
import { ReportFiles, reportOption, type ReportTarget } from "./report_files.ts";
import { secondsOption, seedOption, several, vsockPortOption } from "./usage.ts";

/** The AF_VSOCK port of upstream's tests. */
export const DEFAULT_PORT = 1234;
/** The time upstream gives to each wait, in milliseconds. */
export const DEFAULT_CASE_TIMEOUT = 10_000;

/** What every command that runs cases can be told. */
export interface ConductOptions {
  readonly direction: DirectionChoice;
  readonly peerPort: number;
  readonly caseTimeout: number;
  readonly seed?: number | undefined;
  readonly ktap?: boolean | undefined;
  readonly report?: readonly ReportTarget[] | undefined;
}

/** Adds those options to a command. */
export function withConductOptions<A extends unknown[], O extends Record<string, unknown>>(
  command: Command<A, O>,
  caseTimeout: number = DEFAULT_CASE_TIMEOUT,
) {
  return command
    .argument("[cases...]", "ids, with * for a part and ** for several; all cases without")
    .addOption(
      new Option("--direction <which>", "who accepts").choices(DIRECTION_CHOICES).default(
        "both" as const,
      ),
    )
    .option(
      "--peer-port <port>",
      "AF_VSOCK port; the next is used, too",
      vsockPortOption,
      DEFAULT_PORT,
    )
    .addOption(secondsOption("--case-timeout <seconds>", "deadline of a case", caseTimeout))
    .option("--seed <number>", "repeat the randomness of an earlier run", seedOption)
    .option("--ktap", "KTAP on standard output; progress goes to standard error")
    .option(
      "--report <format=file>",
      `write a report; may be given again (${Object.keys(REPORT_FORMATS).join(", ")})`,
      several(reportOption),
    );
}

/**
 * The cases that a user chose.
 *
 * @throws {UnmatchedSelectorError}
 */
export function chosenCases(selectors: readonly string[]): ConformanceCase[] {
  return select(CATALOGUE, selectors);
}

/** Runs cases on two ends and shows what happens. */
export async function conduct(
  topology: Topology,
  ends: Ends,
  cases: readonly ConformanceCase[],
  options: ConductOptions,
  stop: AbortSignal,
  also: EventSink = () => {},
  postMortem: () => Promise<readonly string[]> = () => Promise.resolve([]),
): Promise<number> {
  const directions = directionsOf(topology, options.direction);
  const plan = planRun(cases, directions);
  const { caseTimeout, report = [] } = options;
  const builder = new ReportBuilder({ argv: Deno.args, startedAt: new Date(), caseTimeout, plan });
  // Opened first: that a file cannot be written is told before the run, not after it.
  await using _files = await ReportFiles.open(report, () => builder.report());
  const sinks = [
    ...outputs(directions, cases.length, options.ktap === true),
    builder.sink,
    also,
  ];
  const verdicts = await runPlan({
    topology,
    plan,
    ends,
    port: options.peerPort,
    timeout: caseTimeout,
    seed: options.seed ?? crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
    sink: (event) => sinks.forEach((sink) => sink(event)),
    stop,
    postMortem,
  });
  const code = exitCode(countOutcomes(verdicts));
  // A run that ended before its plan is never a success.
  return code === EXIT.ok && verdicts.length < plan.length ? EXIT.broken : code;
}

function outputs(directions: readonly Direction[], cases: number, ktap: boolean): EventSink[] {
  if (!ktap) return [new TerminalWriter(screenOf(Deno.stdout)).sink];
  const out = screenOf(Deno.stdout);
  const groups = directions.map((direction) => [direction, cases] as const);
  return [
    new KtapWriter(groups, (line) => out.write(`${line}\n`)).sink,
    new TerminalWriter(screenOf(Deno.stderr)).sink,
  ];
}

/**
 * Calls `body`, which gives an exit code, with a signal that Ctrl-C or SIGTERM aborts.
 *
 * @returns the exit code; that of an interruption, however `body` ended, where there was one.
 */
export async function interruptible(
  body: (stop: AbortSignal) => Promise<number>,
): Promise<number> {
  const stop = new AbortController();
  const onSignal = () => stop.abort(new Error("interrupted"));
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, onSignal);
  try {
    const code = await body(stop.signal);
    return stop.signal.aborted ? EXIT.interrupted : code;
  } catch (error) {
    if (stop.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      Deno.removeSignalListener(signal, onSignal);
    }
  }
}
