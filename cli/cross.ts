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
import { crossTimes, type SideBySide, type TimedCase, timedCases } from "../lab/cross_times.ts";
import { cPrograms } from "../lab/csuite.ts";
import { type LabAddress, openLab } from "../lab/lab.ts";
import { whileAwake } from "../lab/processors.ts";
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
    const show = (): boolean => {
      const { text, agrees } = crossTable(cases, cells);
      const out = screenOf(Deno.stdout);
      out.write(`${options.kernel}, C programs of ${source}\n\n${text}\n`);
      out.write(crossTimes(cases, cells, sideBySide));
      return agrees;
    };
    try {
      for (const topology of options.topologies) {
        const what = { ...labOptions({ ...options, topology }), files };
        await using open = await openLab(what, "short", SELF, progress, stop);
        // The agents have said that they are up, and are not needed.
        closeEnds(open.ends);
        const directions = directionsOf(topology, options.direction);
        const take = (found: readonly CrossCell[]) => cells.push(...found);
        const run = async (signal: AbortSignal) => {
          await runCross(open.address, directions, cases, take, progress, signal);
          if ((options.jobs ?? 1) === 1) return;
          const compared = (direction: Direction) => timedCases(cases, cells, direction);
          const timed = directions.map((direction) => ({ direction, cases: compared(direction) }));
          sideBySide.push(...await timeSideBySide(timed, topology, open.address, options, signal));
        };
        const inTime = (signal: AbortSignal) =>
          open.vm.during("the run", options.timeout, run, signal);
        await whileAwake(open.address, stop, inTime);
      }
    } catch (error) {
      // What is known by now is worth something, whatever became of the lab.
      if (cells.length > 0) {
        screenOf(Deno.stdout).write("The run did not come to its end; so far:\n\n");
        show();
      }
      throw error;
    }
    return show() ? EXIT.ok : EXIT.failed;
  });
}

/** How long the runner takes for the cases of each direction that both did, side by side. */
async function timeSideBySide(
  directions: readonly { readonly direction: Direction; readonly cases: readonly TimedCase[] }[],
  topology: Topology,
  address: LabAddress,
  { jobs = 1, caseTimeout: timeout }: CrossOptions,
  stop: AbortSignal,
): Promise<SideBySide[]> {
  const found: SideBySide[] = [];
  const ends = await agentsOf(address, stop);
  try {
    for (const { direction, cases } of directions) {
      const ids = cases.map((timed) => timed.case.id);
      const plan = planRun(CATALOGUE.filter(({ id }) => ids.includes(id)), [direction]);
      let milliseconds: number | undefined;
      const sink: EventSink = (event) => {
        if (event.type === "run-end") milliseconds = event.milliseconds;
      };
      const how = { topology, plan, ends, jobs, timeout, seed: 0, port: DEFAULT_PORT };
      const { counts } = await runPlan({ ...how, sink, stop });
      if (counts.pass < plan.length) milliseconds = undefined;
      found.push({ direction, jobs, milliseconds });
    }
  } finally {
    closeEnds(ends);
  }
  return found;
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
