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
import { ConsoleWatch } from "../lab/consoles.ts";
import {
  type CrossCase,
  type CrossCell,
  type CrossSession,
  crossSessions,
  runSession,
} from "../lab/cross.ts";
import { crossTable } from "../lab/cross_table.ts";
import { crossTimes, type SideBySide, timedCases } from "../lab/cross_times.ts";
import { cPrograms } from "../lab/csuite.ts";
import { MishapError } from "../lab/error.ts";
import { type LabOptions, openLab } from "../lab/lab.ts";
import { whileAwake } from "../lab/processors.ts";
import { Progress } from "../lab/progress.ts";
import { runPlan } from "../peer/run.ts";
import { screenOf } from "../report/terminal.ts";
import { CATALOGUE } from "../suites/catalogue.ts";
import { upstreamList } from "../suites/upstream.ts";
import { PROGRAMS } from "../suites/upstream_programs.ts";
import { chosenCases } from "./conduct.ts";
import { DEFAULT_PORT } from "./conduct_options.ts";
import { closeEnds, type LabUpOptions, longRunOptions, SELF, withTimeout } from "./lab.ts";

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
    const take = (found: readonly CrossCell[]) => cells.push(...found);
    const show = (): boolean => {
      const { text, agrees } = crossTable(cases, cells);
      const out = screenOf(Deno.stdout);
      out.write(`${options.kernel}, C programs of ${source}\n\n${text}\n`);
      out.write(crossTimes(cases, cells, sideBySide));
      return agrees;
    };
    try {
      for (const topology of options.topologies) {
        const directions = directionsOf(topology, options.direction);
        const sessions = crossSessions(directions, cases);
        const what = { ...longRunOptions({ ...options, topology }), files };
        await runSessions(sessions, what, options, take, progress, stop);
        if ((options.jobs ?? 1) === 1) continue;
        const plans = directions.map((direction) => {
          const ids = timedCases(cases, cells, direction).map((timed) => timed.case.id);
          return planRun(CATALOGUE.filter(({ id }) => ids.includes(id)), [direction]);
        });
        sideBySide.push(...await timeSideBySide(plans, what, options, progress, stop));
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

/** How often in a row a lab may fail in the same session. */
const TRIES = 3;

/**
 * Runs sessions in a lab. Where that fails in the midst of one, without a word of its kernels,
 * nothing is judged, and another lab goes on with that session.
 */
async function runSessions(
  sessions: readonly CrossSession[],
  what: LabOptions,
  { timeout }: Pick<CrossOptions, "timeout">,
  take: (cells: readonly CrossCell[]) => void,
  progress: Progress,
  stop: AbortSignal,
): Promise<void> {
  const left = [...sessions];
  for (let failed = 0; left.length > 0;) {
    await using open = await openLab(what, "short", SELF, progress, stop);
    // The agents have said that they are up, and are not needed.
    closeEnds(open.ends);
    const consoles = await ConsoleWatch.begin(open.address);
    const run = async (signal: AbortSignal) => {
      for (let next; (next = left[0]) !== undefined; left.shift()) {
        take(await runSession(open.address, next, progress, signal));
        failed = 0;
      }
    };
    const inTime = (signal: AbortSignal) => open.vm.during("the run", timeout, run, signal);
    try {
      await whileAwake(open.address, stop, inTime);
    } catch (error) {
      const judged = !(error instanceof MishapError) || (await consoles.postMortem()).length > 0;
      if (judged || ++failed === TRIES) throw error;
      progress.say(`${error.message.split("\n")[0]}; going on in another lab`);
    }
  }
}

/** How long the runner takes in a lab of its own for the cases of each direction, side by side. */
async function timeSideBySide(
  plans: readonly (readonly Planned[])[],
  what: LabOptions,
  { jobs = 1, caseTimeout: timeout }: CrossOptions,
  progress: Progress,
  stop: AbortSignal,
): Promise<SideBySide[]> {
  const found: SideBySide[] = [];
  await using open = await openLab(what, "short", SELF, progress, stop);
  const { ends, address: { topology } } = open;
  try {
    for (const plan of plans) {
      const direction = plan[0]?.direction;
      if (direction === undefined) continue;
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
