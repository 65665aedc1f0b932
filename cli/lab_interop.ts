/**
 * The command `lab --cross`: cases of ours and the kernel's own C programs, each on either side of
 * the other, as one table.
 *
 * @module
 */
import type { EventSink } from "../core/event.ts";
import { EXIT } from "../core/outcome.ts";
import {
  type DirectionChoice,
  directionsOf,
  type Planned,
  planRun,
  type Topology,
} from "../core/plan.ts";
import { archTraits } from "../lab/arch.ts";
import { crossSessions, runSession } from "../interop/session.ts";
import { crossTable } from "../interop/table.ts";
import { crossTimes, type RunnerTime, timedCases } from "../interop/times.ts";
import { cPrograms } from "../lab/c_programs/kernel_tests.ts";
import { openEnds, SELF } from "../lab/connect.ts";
import { openIdle, type OpenLab } from "../lab/open.ts";
import { Progress } from "../lab/progress.ts";
import { LabRelay, type Step } from "../lab/retry.ts";
import { runPlan } from "../runner/run.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import { upstreamList } from "../suites/upstream.ts";
import { PROGRAMS } from "../suites/upstream_programs.ts";
import { chosenCases } from "./run_cases.ts";
import { DEFAULT_PORT, requireDirection } from "./options/run.ts";
import { type BootOptions, longRunOptions, requireVms } from "./options/vm.ts";
import { UsageError } from "../core/error.ts";
import { screenOf } from "../report/screen.ts";
import type { CrossCase, CrossCell } from "../interop/cell.ts";
import { withTimeout } from "./signals.ts";
import { closeEnds } from "../runner/case.ts";

/** Options of `lab --cross`. */
export interface CrossOptions extends Omit<BootOptions, "topology"> {
  readonly topologies: readonly Topology[];
  readonly direction: DirectionChoice;
  /** With more than one, the times of the runner and its agents stand beside C's, too. */
  readonly jobs?: number | undefined;
  /** A case's deadline there, in milliseconds. */
  readonly caseTimeout: number;
}

/** Boots each topology, runs the chosen cases four ways, and prints the table. */
// deno-lint-ignore length/function -- to be split with the command line
export async function labCross(
  selectors: readonly string[],
  options: CrossOptions,
): Promise<number> {
  const cases = crossCases(selectors);
  if (cases.length === 0) {
    throw new UsageError(
      `None of ${selectors.join(" ")} has a case of the C programs beside it; ` +
        'docs/porting.md and "explain" say which have',
    );
  }
  const [topology] = options.topologies;
  if (topology !== undefined && options.topologies.length === 1) {
    requireDirection(topology, options.direction);
  }
  await requireVms(options);
  return await withTimeout(options.timeout, async (stop) => {
    const progress = new Progress(screenOf(Deno.stderr), stop);
    const found: Found = { cells: [], runner: [] };
    let from = "";
    const show = (): boolean => {
      const { text, agrees } = crossTable(cases, found.cells);
      const out = screenOf(Deno.stdout);
      out.write(`${options.kernel}, C programs of ${from}\n\n${text}\n`);
      out.write(crossTimes(cases, found.cells, found.runner));
      return agrees;
    };
    try {
      for (const topology of options.topologies) {
        const plain = await longRunOptions({ ...options, topology });
        const { source, files } = await cPrograms(archTraits(plain.arch), progress);
        from = source;
        const what = { ...plain, files };
        await using relay = new LabRelay(() => openIdle(what, progress, stop), SELF, progress);
        const take = <T>(step: Step<T>) => relay.run("the run", options.timeout, step, stop);
        await runTopology(topology, cases, options, found, take, progress);
      }
    } catch (error) {
      // What is known by now is worth something, whatever became of the lab.
      if (found.cells.length > 0) {
        screenOf(Deno.stdout).write("The run did not come to its end; so far:\n\n");
        show();
      }
      throw error;
    }
    return show() ? EXIT.ok : EXIT.failed;
  });
}

/** What a run has found by now. */
interface Found {
  readonly cells: CrossCell[];
  readonly runner: RunnerTime[];
}

/** Runs the cases four ways, and with `--jobs` by the runner and agents, too. */
async function runTopology(
  topology: Topology,
  cases: readonly CrossCase[],
  options: CrossOptions,
  { cells, runner }: Found,
  take: <T>(step: Step<T>) => Promise<T>,
  progress: Progress,
): Promise<void> {
  const directions = directionsOf(topology, options.direction);
  for (const session of crossSessions(directions, cases)) {
    cells.push(
      ...await take(({ address }, signal) => runSession(address, session, progress, signal)),
    );
  }
  const { jobs = 1 } = options;
  for (const direction of jobs === 1 ? [] : directions) {
    const ids = timedCases(cases, cells, direction).map((timed) => timed.case.id);
    const plan = planRun(CATALOGUE.filter(({ id }) => ids.includes(id)), [direction]);
    // The engine compiles what has run often enough: the second time is another than the first.
    const ways = [["by agents", 1], ["by agents, again", 1], [`--jobs ${jobs}`, jobs]] as const;
    for (const [how, jobs] of ways) {
      progress.say(`${direction}, all of these, ${how}`);
      const settings = { jobs, timeout: options.caseTimeout };
      const milliseconds = await take((lab, stop) => timeRunner(lab, plan, settings, stop));
      runner.push({ direction, how, milliseconds });
    }
  }
}

/** How long the runner takes for a direction's cases, in milliseconds, where all pass. */
async function timeRunner(
  { address }: OpenLab,
  plan: readonly Planned[],
  settings: { readonly jobs: number; readonly timeout: number },
  stop: AbortSignal,
): Promise<number | undefined> {
  let milliseconds: number | undefined;
  const sink: EventSink = (event) => {
    if (event.type === "run-end") milliseconds = event.milliseconds;
  };
  const ends = await openEnds(address, SELF, stop);
  try {
    const { topology } = address;
    const how = { ...settings, topology, plan, ends, seed: 0, port: DEFAULT_PORT };
    const { counts } = await runPlan({ ...how, sink, stop });
    return counts.pass < plan.length ? undefined : milliseconds;
  } finally {
    closeEnds(ends);
  }
}

/** The chosen cases of ours that a C program has, too. */
export function crossCases(selectors: readonly string[]): CrossCase[] {
  const chosen = new Set(chosenCases(selectors));
  return PROGRAMS.flatMap((program) => {
    const list = upstreamList(program);
    return list.flatMap(({ position, name, case: own }): CrossCase[] =>
      own === undefined || !chosen.has(own)
        ? []
        : [{ program, listLength: list.length, position, name, id: own.id }]
    );
  });
}
