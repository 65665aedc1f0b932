/**
 * Turns faults of AF_VSOCK on, one after the other, in a lab whose kernels have them all, and runs
 * cases until enough have noticed.
 *
 * @module
 */
import type { Verdict } from "../../core/outcome.ts";
import { directionsOf, type Planned, planRun, type Topology } from "../../core/plan.ts";
import type { Arch } from "../../lab/arch.ts";
import { openEnds, SELF } from "../../lab/connect.ts";
import { LabError } from "../../lab/error.ts";
import { FAULTS, NO_FAULT } from "../../lab/kernel/faults.ts";
import { openIdle, type OpenLab } from "../../lab/open.ts";
import type { Progress } from "../../lab/progress.ts";
import { ConsoleWatch } from "../../lab/vm/consoles.ts";
import { runScript } from "../../lab/vm/shell.ts";
import type { ConformanceCase } from "../../kit/mod.ts";
import { closeEnds } from "../../runner/case.ts";
import { runPlan } from "../../runner/run.ts";

/** The deadline of most cases, in milliseconds: a fault that makes one hang is to cost little. */
const CASE_TIME = 15_000;
/** How long a script in a VM, and connecting to its agents, may take, in milliseconds. */
const SCRIPT_TIME = 60_000;

/** Where faults are hunted, and how. */
export interface HuntOptions {
  readonly topology: Topology;
  readonly arch?: Arch | undefined;
  /** How many cases run at the same time. */
  readonly jobs: number;
  /** After how many cases that did not pass the run ends. */
  readonly enough: number;
}

/** A verdict that is no pass, and on what. */
interface Notice {
  readonly planned: Planned;
  readonly verdict: Verdict;
}

/** A lab in which faults are hunted. */
export class Hunt implements AsyncDisposable {
  readonly #options: HuntOptions;
  readonly #progress: Progress;
  #lab: OpenLab | undefined;
  /** The cases, with their directions, of which is known whether they pass without any fault. */
  readonly #sound = new Map<string, boolean>();

  constructor(options: HuntOptions, progress: Progress) {
    this.#options = options;
    this.#progress = progress;
  }

  /**
   * The ids of cases that notice a fault: they pass where it is off, and do not where it is on, among
   * others and alone.
   *
   * @param cases in the order in which they are to be run.
   * @throws {LabError} where a lab cannot be had.
   */
  async noticed(fault: string, cases: readonly ConformanceCase[]): Promise<string[]> {
    const { topology, jobs, enough } = this.#options;
    const all = planRun(cases, directionsOf(topology, "both"));
    await this.#fresh();
    await this.#turn(fault);
    const found = (await this.#run(all, jobs, enough)).map(({ planned }) => planned);
    if (found.length === 0) return [];
    let again: Notice[];
    try {
      again = await this.#again(fault, found);
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      // What the fault has left does not let a case begin.
      this.#progress.say(`${error.message.split("\n")[0]}; once more in another lab`);
      await this.#fresh();
      again = await this.#again(fault, found);
    }
    return [...new Set(again.map(({ planned }) => planned.case.id))];
  }

  /** Those of these cases that notice a fault, each alone, and nothing where it is off. */
  async #again(fault: string, found: readonly Planned[]): Promise<Notice[]> {
    const unknown = found.filter((planned) => !this.#sound.has(keyOf(planned)));
    await this.#turn(NO_FAULT);
    let failed = await this.#failedOf(unknown);
    if (failed.length > 0) {
      // They may have met what the fault has left.
      await this.#fresh();
      failed = await this.#failedOf(failed);
    }
    for (const planned of unknown) this.#sound.set(keyOf(planned), !failed.includes(planned));
    await this.#turn(fault);
    return await this.#run(found.filter((each) => this.#sound.get(keyOf(each))), 1, Infinity);
  }

  async #failedOf(plan: readonly Planned[]): Promise<Planned[]> {
    return (await this.#run(plan, 1, Infinity)).map(({ planned }) => planned);
  }

  /** A lab that nothing has happened to yet. */
  async #fresh(): Promise<void> {
    const { topology, arch } = this.#options;
    const { stop } = this.#progress;
    if (this.#lab === undefined) {
      const options = { topology, arch, kernel: { kernel: FAULTS } };
      this.#lab = await openIdle(options, this.#progress, stop);
    } else await this.#lab.recovery.renew("the next fault");
  }

  /** Turns a fault on in all VMs, or all of them off. */
  async #turn(fault: string): Promise<void> {
    const { topology } = this.#options;
    const shells = this.#lab?.address.shells.slice(0, topology === "loopback" ? 1 : 2) ?? [];
    const file = "/sys/module/vsock/parameters/fault";
    const script = `echo '${fault}' > ${file} && grep -x '${fault}' ${file}`;
    await Promise.all(shells.map(async (shell) => {
      const { output, status } = await runScript(shell, script, AbortSignal.timeout(SCRIPT_TIME));
      if (status !== 0) throw new LabError(`Cannot set ${file} to ${fault}: ${output}`);
    }));
  }

  /** Runs cases until enough have noticed something, and gives those that have. */
  async #run(plan: readonly Planned[], jobs: number, enough: number): Promise<Notice[]> {
    const lab = this.#lab;
    if (lab === undefined || plan.length === 0) return [];
    const { address, recovery } = lab;
    const { stop } = this.#progress;
    const over = new AbortController();
    const notices: Notice[] = [];
    const late = AbortSignal.timeout(SCRIPT_TIME);
    const kernels = await ConsoleWatch.begin(address);
    const before = recovery.vm;
    const ends = await openEnds(
      address,
      SELF,
      AbortSignal.any([stop, late]),
      () => recovery.recover(),
    );
    try {
      await runPlan({
        topology: address.topology,
        plan,
        ends,
        port: 1234,
        timeout: CASE_TIME,
        seed: 1,
        jobs,
        stop: AbortSignal.any([stop, over.signal]),
        postMortem: () => kernels.postMortem(),
        sink: (event) => {
          if (event.type !== "case-end") return;
          const { id, direction } = event.run;
          const planned = plan.find((each) => each.case.id === id && each.direction === direction);
          const { verdict } = event;
          if (planned !== undefined && isNotice(verdict)) notices.push({ planned, verdict });
          // A VM in the place of one that died has no fault on.
          if (notices.length >= enough || recovery.vm !== before) {
            over.abort(new Error("enough was noticed"));
          }
        },
      });
    } finally {
      closeEnds(ends);
    }
    stop.throwIfAborted();
    return notices;
  }

  /** Ends the lab. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lab?.[Symbol.asyncDispose]();
  }
}

function isNotice({ outcome }: Verdict): boolean {
  return !["pass", "skip", "retried"].includes(outcome);
}

function keyOf({ case: { id }, direction }: Planned): string {
  return `${id} ${direction}`;
}
