/**
 * The command `lab --cross`: cases of ours and the kernel's own C programs, each on either side of
 * the other, as one table.
 *
 * @module
 */
import type { EventSink } from "../core/event.ts";
import { EXIT } from "../core/outcome.ts";
import {
  type Direction,
  type DirectionChoice,
  directionsOf,
  planRun,
  type Topology,
} from "../core/plan.ts";
import { type CrossCase, type CrossCell, runCross } from "../lab/cross.ts";
import { crossTable } from "../lab/cross_table.ts";
import { crossTimes, type SideBySide, timedCases } from "../lab/cross_times.ts";
import { cPrograms } from "../lab/csuite.ts";
import { type LabAddress, openLab } from "../lab/lab.ts";
import { Progress } from "../lab/progress.ts";
import { runPlan } from "../peer/run.ts";
import { screenOf } from "../report/terminal.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import { upstreamList } from "../suites/upstream.ts";
import { PROGRAMS } from "../suites/upstream_programs.ts";
import { chosenCases } from "./conduct.ts";
import { DEFAULT_PORT } from "./conduct_options.ts";
import { agentsOf, closeEnds, labOptions, type LabUpOptions, SELF, withTimeout } from "./lab.ts";

/** Options of `lab --cross`. */
export interface CrossOptions extends Omit<LabUpOptions, "topology" | "name"> {
  readonly topologies: readonly Topology[];
  readonly direction: DirectionChoice;
  /** With more than one, the runner's time for the same cases stands beside C's, too. */
  readonly jobs?: number | undefined;
  /** A case's deadline there, in milliseconds. */
  readonly caseTimeout: number;
}

/** Boots each topology, runs the chosen cases four ways, and prints the table. */
export function labCross(selectors: readonly string[], options: CrossOptions): Promise<number> {
  const cases = crossCases(selectors);
  return withTimeout(options.timeout, async (stop) => {
    const progress = new Progress(screenOf(Deno.stderr));
    const { source, files } = await cPrograms(progress);
    const cells: CrossCell[] = [];
    const sideBySide: SideBySide[] = [];
    for (const topology of options.topologies) {
      const what = { ...labOptions({ ...options, topology }), files };
      await using open = await openLab(what, "short", SELF, progress, stop);
      // The agents have said that they are up, and are not needed.
      closeEnds(open.ends);
      const directions = directionsOf(topology, options.direction);
      const run = async (signal: AbortSignal) => {
        const { address } = open;
        const found = await runCross(address, directions, cases, progress, signal);
        cells.push(...found);
        const { jobs = 1, caseTimeout } = options;
        if (jobs === 1) return;
        for (const direction of directions) {
          const ids = timedCases(cases, found, direction).map((timed) => timed.case.id);
          const what = { topology, direction, ids, jobs, caseTimeout };
          sideBySide.push({ direction, jobs, milliseconds: await timed(what, address, signal) });
        }
      };
      await open.vm.during("the run", options.timeout, run, stop);
    }
    const { text, agrees } = crossTable(cases, cells);
    screenOf(Deno.stdout).write(`${options.kernel}, C programs of ${source}\n\n${text}\n`);
    screenOf(Deno.stdout).write(crossTimes(cases, cells, sideBySide));
    return agrees ? EXIT.ok : EXIT.failed;
  });
}

/** What the runner is to be timed with. */
interface Timed {
  readonly topology: Topology;
  readonly direction: Direction;
  readonly ids: readonly string[];
  readonly jobs: number;
  readonly caseTimeout: number;
}

/**
 * How long the runner takes for some cases, several side by side.
 *
 * @returns milliseconds; undefined where not all of them passed.
 */
async function timed(
  { topology, direction, ids, jobs, caseTimeout }: Timed,
  address: LabAddress,
  stop: AbortSignal,
): Promise<number | undefined> {
  const ends = await agentsOf(address, stop);
  try {
    const plan = planRun(CATALOGUE.filter(({ id }) => ids.includes(id)), [direction]);
    let milliseconds: number | undefined;
    const sink: EventSink = (event) => {
      if (event.type === "run-end") milliseconds = event.milliseconds;
    };
    const how = { topology, plan, ends, jobs, timeout: caseTimeout, seed: 0, port: DEFAULT_PORT };
    const { counts } = await runPlan({ ...how, sink, stop });
    return counts.pass === plan.length ? milliseconds : undefined;
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
