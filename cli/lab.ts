/**
 * The command `lab`: cases on VMs that the tool boots itself.
 *
 * @module
 */
import type { EventSink, LabFacts } from "../core/event.ts";
import { EXIT } from "../core/outcome.ts";
import type { Topology } from "../core/plan.ts";
import { type Arch, archTraits, ownArch } from "../lab/arch.ts";
import { ConsoleWatch, explainConsoles } from "../lab/vm/consoles.ts";
import { buildDebugKernel } from "../lab/kernel/debug.ts";
import { openEnds, SELF, silentEnds } from "../lab/connect.ts";
import { type OpenLab, openLab } from "../lab/open.ts";
import { LabError } from "../lab/error.ts";
import { whileAwake } from "../lab/vm/stall_watch.ts";
import { Progress } from "../lab/progress.ts";
import type { Recovery } from "../lab/recovery.ts";
import { interact } from "../lab/vm/shell.ts";
import { endLab, findLab, isGone, isUp, rememberLab, requireLab } from "../lab/registry.ts";
import { closeEnds } from "../runner/case.ts";
import type { ConductOptions } from "./options/run.ts";
import { type BootOptions, labOptions, requireVms } from "./options/vm.ts";
import { Session } from "./session.ts";
import { screenOf } from "../report/screen.ts";
import type { LabAddress } from "../lab/types.ts";
import { addCaseFiles } from "./case_files.ts";
import { interruptible, withTimeout } from "./signals.ts";

/** Which lab a command is about, of those that are up. */
export interface NamedLab {
  readonly name: string;
}

/** How long agents that are known to be up may take to answer, in milliseconds. */
const CONNECT_TIME = 30_000;

/** Boots, runs the chosen cases, and ends what it booted. */
export function lab(
  selectors: readonly string[],
  options: BootOptions & ConductOptions,
): Promise<number> {
  const { topology, timeout } = options;
  return withTimeout(
    timeout,
    (stop) =>
      Session.reported(options, topology, stop, async (session) => {
        await session.choose(selectors);
        session.place(topology);
        await requireVms(options);
        const progress = new Progress(screenOf(Deno.stderr), stop);
        await using open = await openLab(labOptions(options), "short", SELF, progress, stop);
        for (const why of open.retries) session.retried({ what: "boot", why });
        progress.say(`consoles: ${open.address.consoles.join(", ")}`);
        return await runOn(open, session, stop, progress);
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
    const open = await openLab(labOptions(options), "long", SELF, progress, stop);
    closeEnds(open.ends);
    try {
      await rememberLab(options.name, open.address);
    } catch (error) {
      await open[Symbol.asyncDispose]();
      throw error;
    }
    progress.say(`up: ${options.topology}, ${options.kernel}, process ${open.address.pid}`);
    progress.say(
      `now "lab run", "lab shell ${
        shellsOf(options.topology).join("|")
      }", and at the end "lab down"`,
    );
    return EXIT.ok;
  });
}

/** Runs the chosen cases on a lab that is up. */
export function labRun(
  selectors: readonly string[],
  options: ConductOptions & NamedLab & Pick<BootOptions, "timeout">,
): Promise<number> {
  return withTimeout(options.timeout, (stop) =>
    // What it is that is up is not known yet; nothing is said of it where it is not.
    Session.reported(options, "guest-host", stop, async (session) => {
      await session.choose(selectors);
      const address = await requireLab(options.name);
      session.place(address.topology);
      const progress = new Progress(screenOf(Deno.stderr), stop);
      const limit = AbortSignal.any([stop, AbortSignal.timeout(CONNECT_TIME)]);
      const ends = await openEnds(address, SELF, limit);
      return await runOn({ address, ends }, session, stop, progress);
    }));
}

/** Ends a lab. */
export async function labDown({ name }: NamedLab): Promise<number> {
  await endLab(name, await requireLab(name));
  return EXIT.ok;
}

/** A VM of a lab that has a shell. */
type Shell = "host" | "guest" | "loopback";

/** The VMs of a lab in which there are shells. */
export function shellsOf(topology: Topology): readonly Shell[] {
  return topology === "loopback" ? ["loopback"] : ["host", "guest"];
}

/** A shell in one of a lab's VMs. */
export async function labShell(
  which: Shell,
  { name }: NamedLab,
): Promise<number> {
  const { topology, shells } = await requireLab(name);
  const known = shellsOf(topology);
  if (!known.includes(which)) {
    throw new LabError(`The lab "${name}" has no ${which}; it has ${known.join(" and ")}`);
  }
  if (Deno.stdin.isTerminal()) screenOf(Deno.stderr).write("lab: leave with Ctrl-]\n");
  return await interact(shells[which === "guest" ? 1 : 0], new AbortController().signal);
}

/** What is known of a lab, for reports. */
function factsOf({ topology, kernel, accelerator, qemu, command, consoles }: LabAddress): LabFacts {
  const [outer, guest] = consoles;
  const name = topology === "loopback" ? "loopback" : "host";
  const inner = topology === "loopback" ? [] : [{ name: "guest", console: guest }];
  return { kernel, vms: [{ name, accelerator, qemu, command, console: outer }, ...inner] };
}

// deno-lint-ignore length/function -- to be split with the command line
async function runOn(
  { address, ends, recovery }: Pick<OpenLab, "address" | "ends"> & { readonly recovery?: Recovery },
  session: Session,
  stop: AbortSignal,
  progress: Progress,
): Promise<number> {
  let first = true;
  let lost = false;
  const also: EventSink = (event) => {
    if (event.type === "run-stopped") lost = event.lost === true;
    if (event.type !== "case-end" || !first) return;
    first = false;
    progress.say(progress.summary());
  };
  try {
    const console = await ConsoleWatch.begin(address);
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
    const machines = { ends, also, postMortem, losses, onTainted };
    const code = await whileAwake(
      address,
      stop,
      (signal) => session.runCases(machines, signal),
    );
    if (!lost) return code;
    const consoles = await explainConsoles("an end was lost", address.consoles);
    // A kernel that died of a case has failed it by now; here the machine itself went away.
    // A VM that was restored has another process.
    const now = { ...address, pid: recovery?.vm.pid ?? address.pid };
    const why = code === EXIT.broken ? await whatWentAway(now, console) : undefined;
    if (why !== undefined) {
      throw new LabError(`${consoles}\n${why}, and no kernel said why: run it again`);
    }
    progress.say(consoles);
    return code;
  } finally {
    closeEnds(ends);
  }
}

/** What became of a lab's machine, where it is more than an agent that is gone. */
async function whatWentAway(
  address: LabAddress,
  console: ConsoleWatch,
): Promise<string | undefined> {
  if (await isGone(address) || await console.guestEnded()) return "QEMU ended";
  // Under KVM it is the kernel's own doing that it stands still.
  if (address.accelerator === "kvm") return undefined;
  const [silent] = await silentEnds(address, SELF);
  return silent === undefined ? undefined : `nothing comes from the ${silent} any more`;
}

/** Builds the debug kernel, unless there is one. */
export function labKernelBuild(
  { refresh, arch }: { refresh?: true | undefined; arch?: Arch | undefined },
): Promise<number> {
  return interruptible(async (stop) => {
    const progress = new Progress(screenOf(Deno.stderr), stop);
    const { name } = arch === undefined ? ownArch() : archTraits(arch);
    const folder = await buildDebugKernel(archTraits(name), refresh ?? false, progress);
    progress.say(`the debug kernel is in ${folder}; now "lab --kernel debug --arch ${name}"`);
    return EXIT.ok;
  });
}
