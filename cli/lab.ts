/**
 * The command `lab`: runs cases in VMs that the tool boots.
 *
 * @module
 */
import type { EventSink, LabFacts } from "../core/event.ts";
import { EXIT } from "../core/outcome.ts";
import { ConsoleWatch, explainConsoles } from "../lab/vm/consoles.ts";
import { connectAgents, silentVms } from "../lab/connect.ts";
import { startLab } from "../lab/lab.ts";
import { LabError } from "../lab/error.ts";
import { withStallWatch } from "../lab/vm/stall_watch.ts";
import { Progress } from "../lab/progress.ts";
import type { Recovery } from "../lab/recovery.ts";
import { interact } from "../lab/vm/shell.ts";
import type { VmRole } from "../lab/layout.ts";
import {
  endLab,
  findLab,
  isGone,
  isUp,
  rememberLab,
  requireLab,
  requireRunning,
} from "../lab/registry.ts";
import type { Ends } from "../runner/case.ts";
import type { Between } from "../runner/run.ts";
import type { CasesOptions } from "./options/run.ts";
import { type BootOptions, labOptions, requireVms } from "./options/vm.ts";
import { Session } from "./session.ts";
import { screenOf } from "../report/screen.ts";
import { consolesOf, type LabAddress, vmsOf } from "../lab/types.ts";
import { withTimeout } from "./signals.ts";
import { CoverageRun } from "./coverage.ts";
import { type CoverageOptions, withCountingKernel } from "./options/coverage.ts";
import { addCaseFiles } from "./case_files.ts";

/** Selects one of the labs that are up. */
export interface NamedLab {
  readonly name: string;
}

/** How long the agents of a lab that is up may take to respond, in milliseconds. */
const CONNECT_TIME = 30_000;

/** Boots a lab, runs the chosen cases, and shuts it down. */
export function lab(
  selectors: readonly string[],
  given: BootOptions & CasesOptions & CoverageOptions,
): Promise<number> {
  const options = withCountingKernel(given);
  const { topology, timeout } = options;
  return withTimeout(
    timeout,
    (stop) =>
      Session.reported(options, topology, stop, async (session) => {
        await session.choose(selectors);
        session.place(topology);
        await requireVms(options);
        const progress = new Progress(screenOf(Deno.stderr), stop);
        const coverage = await CoverageRun.prepare(options, labOptions(options), progress);
        await using lab = await startLab(labOptions(options), progress);
        for (const why of lab.retries) session.retried({ what: "boot", why });
        progress.log(`consoles: ${consolesOf(lab.address).join(", ")}`);
        using ends = await lab.connect(stop);
        const between = coverage?.recorderOf(ends);
        const code = await runOn({ ...lab, ends, between }, session, stop, progress);
        await coverage?.write();
        return code;
      }),
  );
}

/** Boots a lab that stays up. */
export async function labUp(options: BootOptions & NamedLab): Promise<number> {
  await addCaseFiles(options.cases);
  await requireVms(options);
  return await withTimeout(options.timeout, async (stop) => {
    if (await findLab(options.name) !== undefined) throw isUp(options.name);
    const progress = new Progress(screenOf(Deno.stderr), stop);
    const lab = await startLab(labOptions(options), progress, "detached");
    try {
      await rememberLab(options.name, lab.address);
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
    const shells = vmsOf(lab.address).map(({ name }) => name).join("|");
    progress.log(`up: ${options.topology}, ${options.kernel}, process ${lab.address.pid}`);
    progress.log(`next: "lab run", "lab shell ${shells}", and in the end "lab down"`);
    return EXIT.ok;
  });
}

/** Runs the chosen cases on a lab that is up. */
export function labRun(
  selectors: readonly string[],
  options: CasesOptions & NamedLab & Pick<BootOptions, "timeout">,
): Promise<number> {
  return withTimeout(options.timeout, (stop) =>
    // The topology of the lab is not known yet.
    Session.reported(options, "guest-host", stop, async (session) => {
      await session.choose(selectors);
      const address = await requireLab(options.name);
      session.place(address.topology);
      const progress = new Progress(screenOf(Deno.stderr), stop);
      const limit = AbortSignal.any([stop, AbortSignal.timeout(CONNECT_TIME)]);
      using ends = await connectAgents(address, limit);
      return await runOn({ address, ends }, session, stop, progress);
    }));
}

/** Shuts down a lab. */
export async function labDown({ name }: NamedLab): Promise<number> {
  await endLab(name, await requireRunning(name));
  return EXIT.ok;
}

/** Opens a shell in one of a lab's VMs. */
export async function labShell(which: VmRole, { name }: NamedLab): Promise<number> {
  const vms = vmsOf(await requireLab(name));
  const vm = vms.find((vm) => vm.name === which);
  if (vm === undefined) {
    const known = vms.map((vm) => vm.name).join(" and ");
    throw new LabError(`The lab "${name}" has no ${which}; it has ${known}`);
  }
  if (Deno.stdin.isTerminal()) screenOf(Deno.stderr).write("lab: leave with Ctrl-]\n");
  return await interact(vm.shell, new AbortController().signal);
}

/** The facts about a lab, for reports. */
function factsOf({ vms, kernel, accelerator, qemu, command }: LabAddress): LabFacts {
  const [{ name, console }, guest] = vms;
  const inner = guest === undefined ? [] : [{ name: guest.name, console: guest.console }];
  return { kernel, vms: [{ name, accelerator, qemu, command, console }, ...inner] };
}

/** A lab with its ends connected; a lab from `lab up` cannot be recovered. */
interface ConnectedLab {
  readonly address: LabAddress;
  readonly ends: Ends;
  readonly recovery?: Recovery;
  readonly between?: Between | undefined;
}

async function runOn(
  { address, ends, recovery, between }: ConnectedLab,
  session: Session,
  stop: AbortSignal,
  progress: Progress,
): Promise<number> {
  const console = await ConsoleWatch.begin(address);
  const watch = new RunWatch(progress);
  const postMortem = async () => [
    ...await console.postMortem(),
    ...recovery?.takeFindings() ?? [],
  ];
  const losses = () => recovery?.losses ?? 0;
  session.useLab(factsOf(address));
  const onTainted = recovery === undefined ? undefined : async (why: string) => {
    await recovery.renew(why);
    return true;
  };
  const machines = { ends, also: watch.sink, postMortem, losses, onTainted, between };
  const code = await withStallWatch(
    address,
    stop,
    (signal) => session.runCases(machines, signal),
  );
  if (!watch.isLost) return code;
  const consoles = await explainConsoles("lost contact with a VM", consolesOf(address));
  // If a kernel died during a case, that case has failed already; here the VM itself is gone.
  // After a recovery the VM has another process.
  const now = { ...address, pid: recovery?.vm.pid ?? address.pid };
  const why = code === EXIT.broken ? await whatWentAway(now, console) : undefined;
  if (why !== undefined) {
    throw new LabError(`${consoles}\n${why}, and no kernel logged a reason: run it again`);
  }
  progress.log(consoles);
  return code;
}

/** Logs the time of the first verdict, and notices if contact with an end was lost. */
class RunWatch {
  readonly #progress: Progress;
  #isFirst = true;
  /** Whether that has ended the run. */
  isLost = false;

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  readonly sink: EventSink = (event) => {
    if (event.type === "run-stopped") this.isLost = event.lost === true;
    if (event.type !== "case-end" || !this.#isFirst) return;
    this.#isFirst = false;
    this.#progress.log(this.#progress.summary());
  };
}

/** Why contact was lost, if not only an agent is gone but the VM. */
async function whatWentAway(
  address: LabAddress,
  console: ConsoleWatch,
): Promise<string | undefined> {
  if (await isGone(address) || await console.guestEnded()) return "QEMU ended";
  // On KVM a stalled VM is the kernel's fault, not the emulator's.
  if (address.accelerator === "kvm") return undefined;
  const [silent] = await silentVms(address);
  return silent === undefined ? undefined : `the ${silent} no longer responds`;
}
