/**
 * Turns faults of AF_VSOCK on, one after the other, in a lab whose kernels have them all, and runs
 * cases until enough have noticed.
 *
 * @module
 */
import type { Verdict } from "../../core/outcome.ts";
import { directionsOf, type Planned, planRun, type Topology } from "../../core/plan.ts";
import type { Arch } from "../../lab/arch.ts";
import { LabError } from "../../lab/error.ts";
import { FAULTS, NO_FAULT } from "../../lab/kernel/faults.ts";
import { type Lab, startLab } from "../../lab/lab.ts";
import type { Progress } from "../../lab/progress.ts";
import { ConsoleWatch } from "../../lab/vm/consoles.ts";
import { runScript } from "../../lab/vm/shell.ts";
import { vmsOf } from "../../lab/types.ts";
import type { ConformanceCase } from "../../kit/mod.ts";
import { closeEnds, type Ends } from "../../runner/case.ts";
import { runPlan } from "../../runner/run.ts";

/** The deadline of most cases, in milliseconds: a fault that makes one hang is to cost little. */
const CASE_TIME = 15_000;
/** How long a script in a VM may take, in milliseconds. */
const SCRIPT_TIME = 60_000;

/** Where faults are hunted, and how. */
export interface HuntOptions {
  readonly topology: Topology;
  readonly arch?: Arch | undefined;
  /** How many cases run at the same time. */
  readonly jobs: number;
  /** After how many cases that notice a fault the next one is hunted. */
  readonly enough: number;
}

/** A lab in which faults are hunted. */
export class Hunt implements AsyncDisposable {
  readonly #options: HuntOptions;
  readonly #progress: Progress;
  #lab: Lab | undefined;
  #ends: Ends | undefined;
  /** Whether a fault has left the lab as it should not be. */
  #spoiled = false;
  /** The cases, with their directions, of which is known whether they pass without any fault. */
  readonly #sound = new Map<string, boolean>();

  constructor(options: HuntOptions, progress: Progress) {
    this.#options = options;
    this.#progress = progress;
  }

  /**
   * The ids of cases that notice a fault: they do not pass where it is on, do where it is off, and
   * again do not, alone.
   *
   * @param cases in the order in which they are to be run.
   * @throws {LabError} where a lab cannot be had.
   */
  async noticed(fault: string, cases: readonly ConformanceCase[]): Promise<string[]> {
    const { topology, jobs, enough } = this.#options;
    const plan = planRun(cases, directionsOf(topology, "both"));
    const caught = new Set<string>();
    for (let at = 0; at < plan.length && caught.size < enough; at += jobs) {
      const failed = await this.#failedOf(plan.slice(at, at + jobs), fault);
      for (const planned of failed) {
        if (await this.#isSound(planned)) {
          const again = await this.#failedOf([planned], fault);
          if (again.length > 0) caught.add(planned.case.id);
        }
      }
    }
    return [...caught];
  }

  /** Whether a case passes without a fault; if it does not, it may have met what one has left. */
  async #isSound(planned: Planned): Promise<boolean> {
    const key = `${planned.case.id} ${planned.direction}`;
    const known = this.#sound.get(key);
    if (known !== undefined) return known;
    const passes = async () => (await this.#failedOf([planned], NO_FAULT)).length === 0;
    let sound = await passes();
    if (!sound) {
      this.#spoiled = true;
      sound = await passes();
    }
    this.#sound.set(key, sound);
    return sound;
  }

  /** Runs cases with a fault, and gives those that did not pass. */
  async #failedOf(plan: readonly Planned[], fault: string): Promise<Planned[]> {
    const { lab, ends } = await this.#ready();
    const { address, recovery } = lab;
    const { stop } = this.#progress;
    await this.#turn(fault, lab);
    const kernels = await ConsoleWatch.begin(address);
    const before = recovery.vm;
    const failed: Planned[] = [];
    await runPlan({
      topology: address.topology,
      plan,
      ends,
      port: 1234,
      timeout: CASE_TIME,
      seed: 1,
      jobs: this.#options.jobs,
      stop,
      postMortem: () => kernels.postMortem(),
      sink: (event) => {
        if (event.type !== "case-end") return;
        const { run: { id, direction }, verdict } = event;
        const planned = plan.find((each) => each.case.id === id && each.direction === direction);
        if (planned === undefined || !isNotice(verdict)) return;
        failed.push(planned);
        if (isSpoiling(verdict)) this.#spoiled = true;
      },
    });
    stop.throwIfAborted();
    if (recovery.vm !== before || ends.host.lost !== undefined || ends.guest.lost !== undefined) {
      this.#spoiled = true;
    }
    return failed;
  }

  /** A lab whose agents are connected, and that no fault has spoiled. */
  async #ready(): Promise<{ readonly lab: Lab; readonly ends: Ends }> {
    const { topology, arch } = this.#options;
    const { stop } = this.#progress;
    if (this.#spoiled && this.#lab !== undefined) {
      this.#hangUp();
      await this.#lab.recovery.renew("a fault has spoiled it");
    }
    this.#spoiled = false;
    const kernel = { kernel: FAULTS };
    this.#lab ??= await startLab({ topology, arch, kernel }, this.#progress);
    const ends = this.#ends ??= await this.#lab.connect(stop);
    return { lab: this.#lab, ends };
  }

  /** Turns a fault on in all VMs, or all of them off. */
  async #turn(fault: string, { address }: Lab): Promise<void> {
    const file = "/sys/module/vsock/parameters/fault";
    const script = `echo '${fault}' > ${file} && grep -x '${fault}' ${file}`;
    await Promise.all(
      vmsOf(address).map(async ({ shell }) => {
        const { output, status } = await runScript(shell, script, AbortSignal.timeout(SCRIPT_TIME));
        if (status !== 0) throw new LabError(`Cannot set ${file} to ${fault}: ${output}`);
      }),
    );
  }

  #hangUp(): void {
    if (this.#ends !== undefined) closeEnds(this.#ends);
    this.#ends = undefined;
  }

  /** Ends the lab. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#hangUp();
    await this.#lab?.[Symbol.asyncDispose]();
  }
}

function isNotice({ outcome }: Verdict): boolean {
  return !["pass", "skip", "retried"].includes(outcome);
}

/** Whether sockets may be left in a state of which nobody knows, or a kernel has complained. */
function isSpoiling({ outcome, sides }: Verdict): boolean {
  const reports = sides === undefined ? [] : [sides.client, sides.server];
  return outcome === "timeout" || outcome === "broken" ||
    reports.some(({ died, splats = [] }) => died === true || splats.length > 0);
}
