/**
 * A lab: a loopback VM, or a host with its guest, from what is needed on disk to agents that answer.
 *
 * @module
 */
import type { EndFacts } from "../core/event.ts";
import type { Topology } from "../core/plan.ts";
import type { Ends } from "../peer/controller.ts";
import { consoleFolder } from "./cache.ts";
import { output } from "./command.ts";
import type { CpioEntry } from "./cpio.ts";
import { openEnds } from "./ends.ts";
import { MishapError } from "./error.ts";
import type { KernelChoice } from "./kernel.ts";
import { type Parts, prepare } from "./parts.ts";
import type { Progress } from "./progress.ts";
import { type Accelerator, outerArguments } from "./qemu.ts";
import { runScript } from "./shell.ts";
import { agentsIdle, restored, Snapshot, snapshotKey, snapshotTrouble } from "./snapshot.ts";
import { type Leash, Vm } from "./vm.ts";

/** What lab to make. */
export interface LabOptions {
  readonly topology: Topology;
  readonly kernel: KernelChoice;
  /** Files to put into the VM besides the lab's own. */
  readonly files?: readonly CpioEntry[];
  /** Boot, and neither use a snapshot nor save one. */
  readonly cold?: boolean | undefined;
}

/** Where a running lab can be reached; plain data, so that it can be kept in a file. */
export interface LabAddress {
  readonly topology: Topology;
  readonly kernel: string;
  readonly pid: number;
  /** The folder of its sockets. */
  readonly folder: string;
  /** TCP ports on 127.0.0.1 of its two agents: host and guest, or both loopback. */
  readonly ports: readonly [number, number];
  /** Unix sockets of its shells: host's (or loopback's) and guest's. */
  readonly shells: readonly [string, string];
  readonly consoles: readonly [string, string];
}

/** A lab that this process started. */
export interface BootedLab extends AsyncDisposable {
  readonly address: LabAddress;
  readonly vm: Vm;
  /** How its processors come about. */
  readonly accelerator: Accelerator;
}

/** A lab whose agents answer. */
export interface OpenLab extends BootedLab {
  readonly ends: Ends;
}

/** How long a boot may take, in milliseconds; a nested one under TCG takes 15 s when it is alone. */
const BOOT_TIME = 240_000;
/** How long a restored VM may take to answer, in milliseconds. */
const RESTORE_TIME = 30_000;
/** How often a boot is tried: an emulator that fails says nothing about the kernel in it. */
const BOOT_TRIES = 3;

/** How a lab is opened. */
interface Opening {
  readonly options: LabOptions;
  readonly parts: Parts;
  readonly leash: Leash;
  /** What the controller says of itself. */
  readonly own: EndFacts;
  readonly progress: Progress;
  readonly stop: AbortSignal;
}

/**
 * Starts a lab, from a snapshot where there is one, and connects to its agents.
 *
 * @param own what the controller says of itself.
 * @throws {LabError} where something that it needs cannot be had, or it does not boot.
 */
export async function openLab(
  options: LabOptions,
  leash: Leash,
  own: EndFacts,
  progress: Progress,
  stop: AbortSignal,
): Promise<OpenLab> {
  const parts = await prepare(options, progress);
  const opening = { options, parts, leash, own, progress, stop };
  const snapshot = await snapshotOf(opening);
  const lab = await restore(opening, snapshot);
  if (lab !== undefined) return lab;
  const booted = await boot(opening);
  return snapshot === undefined ? booted : await save(opening, booted, snapshot);
}

/** Where the lab's snapshot is or will be; undefined where there is to be none. */
async function snapshotOf({ options, parts }: Opening): Promise<Snapshot | undefined> {
  // Under KVM a boot takes a second, and what a state depends on is harder to name.
  if (options.cold || parts.accelerator === "kvm") return undefined;
  const version = await output(parts.qemu, ["--version"]);
  // What differs from one VM to the next is no part of a state.
  const args = outerArguments({
    ...parts,
    vmlinuz: "vmlinuz",
    initrd: "initrd",
    consoles: ["", ""],
    shells: ["", ""],
    monitor: "",
    ports: [0, 0],
  });
  // A disk that was made anew has its files in other places, and the kernel remembers those.
  const files = [parts.kernel.vmlinuz, parts.disk.replace(/[^/]+$/, "manifest.json")];
  return new Snapshot(await snapshotKey(version, args, files, parts.initrd));
}

async function restore(
  opening: Opening,
  snapshot: Snapshot | undefined,
): Promise<OpenLab | undefined> {
  if (snapshot === undefined || !await snapshot.exists()) return undefined;
  const { parts, progress, stop } = opening;
  try {
    const text = `restoring ${whatOf(opening)} with ${parts.kernel.name}`;
    return await progress.phase("restore", text, async () => {
      return await startOnce(opening, "the restore", RESTORE_TIME, await snapshot.arguments());
    });
  } catch (error) {
    stop.throwIfAborted();
    progress.say(`${snapshotTrouble(error)}; booting instead`);
    await snapshot.discard();
    return undefined;
  }
}

async function boot(opening: Opening): Promise<OpenLab> {
  const { parts, progress } = opening;
  const text = `booting ${whatOf(opening)} with ${parts.kernel.name}`;
  for (let tries = 1;; tries++) {
    try {
      return await progress.phase(
        "boot",
        text,
        () => startOnce(opening, "the boot", BOOT_TIME, []),
      );
    } catch (error) {
      if (!(error instanceof MishapError) || tries === BOOT_TRIES) throw error;
      progress.say(`${error.message.split("\n")[0]}; trying again`);
    }
  }
}

/** Saves a lab that has just booted. That it cannot be saved is said, and no more. */
async function save(
  { own, progress, stop }: Opening,
  lab: OpenLab,
  snapshot: Snapshot,
): Promise<OpenLab> {
  lab.ends.host.close();
  lab.ends.guest.close();
  try {
    await progress.phase("snapshot", "saving it for the next time", async () => {
      await agentsIdle(lab.address.consoles);
      await snapshot.save(monitorOf(lab.address));
    });
  } catch (error) {
    progress.say(snapshotTrouble(error));
  }
  try {
    const open = (signal: AbortSignal) => openEnds(lab.address, own, signal);
    return { ...lab, ends: await lab.vm.during("the boot", RESTORE_TIME, open, stop) };
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw error;
  }
}

function whatOf({ options }: Opening): string {
  return options.topology === "loopback" ? "a VM" : "a host and its guest";
}

/** Starts a VM and connects to its agents. */
async function startOnce(
  { options, parts, leash, own, stop }: Opening,
  what: string,
  milliseconds: number,
  more: readonly string[],
): Promise<OpenLab> {
  const started = await startLab(options, parts, leash, more);
  try {
    const { address, vm } = started;
    const open = async (signal: AbortSignal) => {
      if (more.length > 0) await restored(monitorOf(address), signal);
      const ends = await openEnds(address, own, signal);
      if (more.length > 0) await setClocks(address, signal);
      return ends;
    };
    return { ...started, ends: await vm.during(what, milliseconds, open, stop) };
  } catch (error) {
    await started[Symbol.asyncDispose]();
    throw error;
  }
}

/** A restored VM has the time of day at which it was saved. */
async function setClocks({ topology, shells }: LabAddress, signal: AbortSignal): Promise<void> {
  const script = `date -u -s @${Math.round(Date.now() / 1000)}`;
  const all = topology === "loopback" ? shells.slice(0, 1) : shells;
  await Promise.all(all.map((shell) => runScript(shell, script, signal)));
}

/** Starts a lab's VM; its agents do not answer yet. */
async function startLab(
  options: LabOptions,
  parts: Parts,
  leash: Leash,
  more: readonly string[],
): Promise<BootedLab> {
  const consolesIn = await consoleFolder();
  const folder = await Deno.makeTempDir({ prefix: "vsock-lab-" });
  try {
    const { role } = parts;
    const address: Omit<LabAddress, "pid"> = {
      topology: options.topology,
      kernel: options.kernel.kernel,
      folder,
      ports: freePorts(),
      shells: [`${folder}/shell-1`, `${folder}/shell-2`],
      consoles: [`${consolesIn}/${role}.log`, `${consolesIn}/guest.log`],
    };
    const initrd = `${folder}/initrd`;
    await Deno.writeFile(initrd, parts.initrd);
    const args = outerArguments({
      ...address,
      role,
      initrd,
      accelerator: parts.accelerator,
      vmlinuz: parts.kernel.vmlinuz,
      disk: parts.disk,
      monitor: monitorOf(address),
    });
    const vm = new Vm(
      parts.qemu,
      [...args, ...more],
      address.consoles,
      leash,
      `${consolesIn}/qemu.log`,
    );
    return {
      address: { ...address, pid: vm.pid },
      vm,
      accelerator: parts.accelerator,
      async [Symbol.asyncDispose]() {
        await vm[Symbol.asyncDispose]();
        await Deno.remove(folder, { recursive: true });
      },
    };
  } catch (error) {
    await Deno.remove(folder, { recursive: true });
    throw error;
  }
}

/** The Unix socket of a lab's monitor. */
function monitorOf({ folder }: Pick<LabAddress, "folder">): string {
  return `${folder}/monitor`;
}

/** Two TCP ports of 127.0.0.1 that nobody has now. */
function freePorts(): [number, number] {
  const listen = () => Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using first = listen();
  using second = listen();
  return [first.addr.port, second.addr.port];
}
