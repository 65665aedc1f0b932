/**
 * A lab: a loopback VM, or a host with its guest, from what is needed on disk to agents that answer.
 *
 * @module
 */
import type { EndFacts } from "../core/event.ts";
import { reasonOf } from "../core/error.ts";
import { closeEnds, type Ends } from "../runner/case.ts";
import { BootWatch } from "./vm/boot_watch.ts";
import { ConsoleWatch } from "./vm/consoles.ts";
import { diskId } from "./image/disk.ts";
import { openEnds, SELF } from "./connect.ts";
import { KernelDeathError, LateError, MishapError, StandstillError } from "./error.ts";
import { OwnClock } from "./vm/own_time.ts";
import { prepare } from "./prepare.ts";
import type { Detail, Progress } from "./progress.ts";
import { outerArguments } from "./vm/qemu_args.ts";
import { Recovery } from "./recovery.ts";
import { agentsIdle, Snapshot, snapshotKey, snapshotTrouble } from "./vm/snapshot.ts";
import { newPlace, runsAgain, setClocks, startVm } from "./vm/start.ts";
import type { ConsoleObserver, Leash, Vm } from "./vm/vm.ts";
import { WorkFolder } from "./host/work_folder.ts";
import { type LabAddress, type LabOptions, monitorOf, type Parts, type Place } from "./types.ts";

/** A lab that this process started. */
export interface BootedLab extends AsyncDisposable {
  readonly address: LabAddress;
  /** Its VM, and what brings it back. */
  readonly recovery: Recovery;
}

/** A lab whose agents answer. */
export interface OpenLab extends BootedLab {
  readonly ends: Ends;
  /** Why each boot before the one that came up was begun anew. */
  readonly retries: readonly string[];
}

/**
 * How long a boot may take, in milliseconds. An emulated pair takes 20 s to 30 s on a quiet machine
 * and ten times that beside a load; one that makes no progress is noticed long before.
 */
export const BOOT_TIME = 600_000;
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
  /** Where its snapshot is, or will be. */
  readonly snapshot: Snapshot | undefined;
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
  const snapshot = await snapshotOf(options, parts);
  const opening = { options, parts, leash, own, progress, stop, snapshot };
  const lab = await restore(opening);
  if (lab !== undefined) return lab;
  const booted = await boot(opening);
  return snapshot === undefined ? booted : await save(opening, booted, snapshot);
}

/** Where the lab's snapshot is or will be; undefined where there is to be none. */
async function snapshotOf(options: LabOptions, parts: Parts): Promise<Snapshot | undefined> {
  // Under KVM a boot takes a second, and what a state depends on is harder to name.
  if (options.cold || parts.accelerator === "kvm") return undefined;
  // What differs from one VM to the next is no part of a state.
  const args = outerArguments({
    ...parts,
    firmware: [],
    vmlinuz: "vmlinuz",
    initrd: "initrd",
    consoles: ["", ""],
    shells: ["", ""],
    monitor: "",
    ports: [0, 0],
  });
  // A disk that was made anew has its files in other places, and the kernel remembers those.
  const files = [parts.kernel.vmlinuz, diskId(parts.disk)];
  return new Snapshot(await snapshotKey(parts.qemu.identity, args, files, parts.initrd));
}

async function restore(opening: Opening): Promise<OpenLab | undefined> {
  const { parts, progress, stop, snapshot } = opening;
  if (snapshot === undefined || !await snapshot.exists()) return undefined;
  try {
    const text = `restoring ${whatOf(opening)} with ${parts.kernel.name}`;
    return await progress.phase("restore", text, () => restoreOnce(opening, snapshot));
  } catch (error) {
    stop.throwIfAborted();
    progress.say(`${snapshotTrouble(error)}; booting instead`);
    await snapshot.discard();
    return undefined;
  }
}

/**
 * Boots a lab. An emulator that fails says nothing about the kernel in it, so that a boot which ended
 * without a word of a kernel, or stands still, is begun anew, three times at most; a kernel that died
 * with a word is a finding.
 */
async function boot(opening: Opening): Promise<OpenLab> {
  const { parts, progress } = opening;
  const text = `booting ${whatOf(opening)} (${parts.arch.name}) with ${parts.kernel.name}`;
  const retries: string[] = [];
  for (;;) {
    try {
      const lab = await progress.phase("boot", text, (detail) => bootOnce(opening, detail));
      return { ...lab, retries };
    } catch (error) {
      const isEmulators = error instanceof MishapError && parts.accelerator !== "kvm";
      if (!isEmulators || retries.length + 1 === BOOT_TRIES) throw error;
      const why = error.message.split("\n")[0] ?? "";
      retries.push(why);
      progress.say(`${why}; booting again (${retries.length + 1} of ${BOOT_TRIES})`);
    }
  }
}

/**
 * Boots a VM and connects to its agents.
 *
 * @throws {KernelDeathError} where a kernel died of something that it wrote down.
 */
async function bootOnce(opening: Opening, detail: Detail): Promise<OpenLab> {
  const { options } = opening;
  const lab = await startLab(opening, undefined);
  const { address } = lab;
  const { observe } = await observeBoot(opening, lab.recovery.vm, detail);
  const limit = options.bootTime ?? BOOT_TIME;
  const kernels = await ConsoleWatch.begin(address);
  try {
    return await open(opening, lab, "the boot", limit, opening.stop, observe);
  } catch (error) {
    const words = error instanceof MishapError ? await kernels.postMortem() : [];
    await lab[Symbol.asyncDispose]();
    if (words.length > 0) throw new KernelDeathError([...words, reasonOf(error)].join("\n"));
    if (!(error instanceof LateError)) throw error;
    throw new LateError(`${error.message}\n(--boot-timeout gives it longer)`, { cause: error });
  }
}

/** Saves a lab that has just booted. That it cannot be saved is said, and no more. */
async function save(opening: Opening, lab: OpenLab, snapshot: Snapshot): Promise<OpenLab> {
  const { progress, stop } = opening;
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
    const opened = await open(opening, lab, "the boot", RESTORE_TIME, stop);
    return { ...opened, retries: lab.retries };
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw error;
  }
}

function whatOf({ options }: Opening): string {
  return options.topology === "loopback" ? "a VM" : "a host and its guest";
}

/** Starts a VM from a snapshot and connects to its agents. */
async function restoreOnce(opening: Opening, snapshot: Snapshot): Promise<OpenLab> {
  const lab = await startLab(opening, snapshot);
  try {
    const { address, recovery: { vm } } = lab;
    const during = (body: (signal: AbortSignal) => Promise<void>) =>
      vm.during("the restore", RESTORE_TIME, body, opening.stop);
    await during((signal) => runsAgain(address, signal));
    const opened = await open(opening, lab, "the restore", RESTORE_TIME, opening.stop);
    await during((signal) => setClocks(address, signal));
    return opened;
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw error;
  }
}

/** Connects to the agents of a lab, and again should they be lost. */
async function open(
  { own }: Opening,
  lab: BootedLab,
  what: string,
  milliseconds: number,
  stop: AbortSignal,
  onConsoles?: ConsoleObserver,
): Promise<OpenLab> {
  const { address, recovery } = lab;
  const ends = await recovery.vm.during(
    what,
    milliseconds,
    (signal) => openEnds(address, own, signal, () => recovery.recover()),
    stop,
    onConsoles,
  );
  await recovery.begin();
  return { ...lab, ends, retries: [] };
}

/** Starts a lab's VM; its agents do not answer yet. */
async function startLab(opening: Opening, from: Snapshot | undefined): Promise<BootedLab> {
  const { options, parts, leash } = opening;
  const folder = await WorkFolder.make("lab");
  const remove = () => folder[Symbol.asyncDispose]();
  try {
    const place = await newPlace(folder.path, options, parts);
    const vm = await startVm(place, parts, leash, from);
    const address = { ...place, command: vm.command, pid: vm.pid };
    const recovery = new Recovery(address, vm, {
      start: (why) => startAgain(opening, place, why),
      qemuIsTested: options.qemu !== undefined || parts.accelerator === "kvm",
    });
    return {
      address,
      recovery,
      async [Symbol.asyncDispose]() {
        await recovery[Symbol.asyncDispose]();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Starts a VM in the place of one that has ended; it runs and its agents listen, or soon will. */
async function startAgain(opening: Opening, place: Place, why: string): Promise<Vm> {
  const { parts, leash, progress, snapshot, stop } = opening;
  const fromSnapshot = snapshot !== undefined && await snapshot.exists() ? snapshot : undefined;
  const vm = await startVm(place, parts, leash, fromSnapshot);
  try {
    if (fromSnapshot !== undefined) {
      await progress.phase("restore", `${why}; restoring the lab`, () => {
        const runs = async (signal: AbortSignal) => {
          await runsAgain(place, signal);
          await setClocks(place, signal);
        };
        return vm.during("the restore", RESTORE_TIME, runs, stop);
      });
      return vm;
    }
    await progress.phase("boot", `${why}; booting the lab again`, async (detail) => {
      const { observe, listening } = await observeBoot(opening, vm, detail);
      await vm.during("the boot", opening.options.bootTime ?? BOOT_TIME, listening, stop, observe);
    });
    return vm;
  } catch (error) {
    await vm[Symbol.asyncDispose]();
    throw error;
  }
}

/** Follows a boot by its consoles: says how far it is, and ends one that stands still. */
async function observeBoot({ options, parts }: Opening, vm: Vm, detail: Detail) {
  const names = options.topology === "loopback" ? ["VM"] : ["host", "guest"];
  const clock = new OwnClock(vm.pid);
  const watch = new BootWatch(names, await clock.now());
  const booted = Promise.withResolvers<void>();
  const observe = async (consoles: readonly string[]) => {
    detail(watch.progress(consoles));
    if (watch.isUp(consoles)) booted.resolve();
    const still = watch.take(consoles, await clock.now());
    if (still !== undefined && parts.accelerator !== "kvm") throw new StandstillError(still);
  };
  return { observe, listening: () => booted.promise };
}

/** Opens a lab whose agents have said that they are up, and are not connected any more. */
export async function openIdle(
  options: LabOptions,
  progress: Progress,
  stop: AbortSignal,
): Promise<OpenLab> {
  const lab = await openLab(options, "short", SELF, progress, stop);
  closeEnds(lab.ends);
  return lab;
}
