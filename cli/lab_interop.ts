/**
 * The command `lab interop`: vsock-conformance and the kernel's C programs, each on either side of
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
import { interopSessions, runSession } from "../interop/session.ts";
import { interopTable } from "../interop/table.ts";
import { interopTimes, type RunnerTime, timedCases } from "../interop/times.ts";
import { cPrograms, type CSuite } from "../lab/c_programs/kernel_tests.ts";
import { ownKernel } from "../lab/kernel/kernel.ts";
import { type Lab, startLab } from "../lab/lab.ts";
import { Progress } from "../lab/progress.ts";
import { RetryingLab, type Step } from "../lab/retry.ts";
import { runPlan } from "../runner/run.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import { upstreamList } from "../suites/upstream.ts";
import { PROGRAMS } from "../suites/upstream_programs.ts";
import { chosenCases } from "./run_cases.ts";
import { DEFAULT_PORT, requireDirection } from "./options/run.ts";
import { type BootOptions, longRunOptions, requireVms } from "./options/vm.ts";
import { UsageError } from "../core/error.ts";
import { screenOf } from "../report/screen.ts";
import type { InteropCase, InteropCell } from "../interop/cell.ts";
import { withTimeout } from "./signals.ts";

/** Options of `lab interop`. */
export interface InteropOptions extends Omit<BootOptions, "topology"> {
  /** By default, loopback and guest-host. */
  readonly topology?: Topology | undefined;
  readonly direction: DirectionChoice;
  /** Cases to leave out. */
  readonly exclude?: readonly string[] | undefined;
  /** If more than one, the runner and its agents are timed as well. */
  readonly jobs?: number | undefined;
  /** A case's deadline in that measurement, in milliseconds. */
  readonly caseTimeout: number;
}

/** Boots each topology, runs the chosen cases in all four pairings, and prints the table. */
export async function labInterop(
  selectors: readonly string[],
  options: InteropOptions,
): Promise<number> {
  const cases = casesOfC(selectors, options.exclude ?? []);
  const { topology } = options;
  if (topology !== undefined) requireDirection(topology, options.direction);
  const topologies: readonly Topology[] = topology === undefined
    ? ["loopback", "guest-host"]
    : [topology];
  await requireVms(options);
  // Of a tree that was built, its own C programs: they may have cases that are newer.
  const tree = (await ownKernel(options))?.source;
  return await withTimeout(options.timeout, async (stop) => {
    const progress = new Progress(screenOf(Deno.stderr), stop);
    const found: Found = { cells: [], runner: [], source: "", unknown: [] };
    try {
      for (const topology of topologies) {
        const plain = await longRunOptions({ ...options, topology });
        const { source, names, files } = await cPrograms(archTraits(plain.arch), progress, tree);
        Object.assign(found, { source, unknown: unknownCases(names) });
        const what = { ...plain, files };
        await using labs = new RetryingLab(() => startLab(what, progress), progress);
        const take = <T>(step: Step<T>) => labs.run("the run", options.timeout, step, stop);
        await runTopology(topology, cases, options, found, take, progress);
      }
    } catch (error) {
      // Show the results so far even if the lab failed.
      if (found.cells.length > 0) {
        screenOf(Deno.stdout).write("The run did not finish; so far:\n\n");
        show(cases, options.kernel, found);
      }
      throw error;
    }
    return show(cases, options.kernel, found) ? EXIT.ok : EXIT.failed;
  });
}

/** Cases of the C programs that the catalogue does not know by name, one a line. */
export function unknownCases(names: CSuite["names"]): string[] {
  return PROGRAMS.flatMap((program) => {
    const known = new Set(upstreamList(program).map(({ name }) => name));
    return (names[program] ?? []).filter((name) => !known.has(name))
      .map((name) => `  ${program}: ${name}`);
  });
}

/** @throws {UsageError} if none of the chosen cases is one of the C programs'. */
function casesOfC(selectors: readonly string[], exclude: readonly string[]): InteropCase[] {
  const cases = interopCases([...selectors, ...exclude.map((pattern) => `!${pattern}`)]);
  if (cases.length > 0) return cases;
  throw new UsageError(
    `None of ${selectors.join(" ")} is a case of the C programs; see docs/porting.md or "explain"`,
  );
}

/** The results of a run so far. */
interface Found {
  readonly cells: InteropCell[];
  readonly runner: RunnerTime[];
  /** Which kernel source the C programs were built from. */
  source: string;
  /** Cases of the C programs that are not ported. */
  unknown: readonly string[];
}

/** Prints the table, and the times if any were measured; returns whether all pairings agree. */
function show(
  cases: readonly InteropCase[],
  kernel: string,
  { cells, runner, source, unknown }: Found,
): boolean {
  const { text, agrees } = interopTable(cases, cells);
  const out = screenOf(Deno.stdout);
  out.write(`${kernel}, C programs of ${source}\n\n${text}\n`);
  out.write(interopTimes(cases, cells, runner));
  if (unknown.length > 0) {
    out.write(`\nThe C programs have cases that are not ported:\n${unknown.join("\n")}\n`);
  }
  return agrees;
}

/** Runs the cases in all four pairings, and with `--jobs` by the runner and agents as well. */
async function runTopology(
  topology: Topology,
  cases: readonly InteropCase[],
  options: InteropOptions,
  { cells, runner }: Found,
  take: <T>(step: Step<T>) => Promise<T>,
  progress: Progress,
): Promise<void> {
  const directions = directionsOf(topology, options.direction);
  for (const session of interopSessions(directions, cases)) {
    cells.push(
      ...await take(({ address }, signal) => runSession(address, session, progress, signal)),
    );
  }
  const { jobs = 1 } = options;
  for (const direction of jobs === 1 ? [] : directions) {
    const ids = timedCases(cases, cells, direction).map((timed) => timed.case.id);
    const plan = planRun(CATALOGUE.filter(({ id }) => ids.includes(id)), [direction]);
    // The JavaScript engine compiles hot code, so the second time differs from the first.
    const ways = [["by agents", 1], ["by agents, again", 1], [`--jobs ${jobs}`, jobs]] as const;
    for (const [how, jobs] of ways) {
      progress.log(`${direction}, all these cases, ${how}`);
      const settings = { jobs, timeout: options.caseTimeout };
      const milliseconds = await take((lab, stop) => timeRunner(lab, plan, settings, stop));
      runner.push({ direction, how, milliseconds });
    }
  }
}

/**
 * How long the runner takes for a direction's cases, in milliseconds; undefined unless all pass.
 */
async function timeRunner(
  lab: Lab,
  plan: readonly Planned[],
  settings: { readonly jobs: number; readonly timeout: number },
  stop: AbortSignal,
): Promise<number | undefined> {
  let milliseconds: number | undefined;
  const sink: EventSink = (event) => {
    if (event.type === "run-end") milliseconds = event.milliseconds;
  };
  using ends = await lab.connect(stop);
  const { topology } = lab.address;
  const how = { ...settings, topology, plan, ends, seed: 0, port: DEFAULT_PORT };
  const { counts } = await runPlan({ ...how, sink, stop });
  return counts.pass < plan.length ? undefined : milliseconds;
}

/** The chosen cases that are also in a C program. */
export function interopCases(selectors: readonly string[]): InteropCase[] {
  const chosen = new Set(chosenCases(selectors));
  return PROGRAMS.flatMap((program) => {
    const list = upstreamList(program);
    return list.flatMap(({ position, name, case: own }): InteropCase[] =>
      own === undefined || !chosen.has(own)
        ? []
        : [{ program, listLength: list.length, position, name, id: own.id }]
    );
  });
}
