/**
 * Starts a lab: a loopback VM, or a host with its guest, until its agents are ready for a
 * controller.
 *
 * @module
 */
import { reasonOf } from "../core/error.ts";
import { BootWatch } from "./vm/boot_watch.ts";
import { ConsoleWatch } from "./vm/consoles.ts";
import { diskId } from "./image/disk.ts";
import { connectAgents, type ConnectedEnds } from "./connect.ts";
import { KernelDeathError, LateError, VmLostError, VmStalledError } from "./error.ts";
import { OwnClock } from "./vm/own_time.ts";
import { prepare } from "./prepare.ts";
import type { Detail, Progress } from "./progress.ts";
import { outerArguments } from "./vm/qemu_args.ts";
import { Recovery } from "./recovery.ts";
import { Snapshot, snapshotKey, snapshotTrouble } from "./vm/snapshot.ts";
import { newPlace, runsAgain, setClocks, startVm } from "./vm/start.ts";
import type { Lifetime, Vm } from "./vm/vm.ts";
import { WorkFolder } from "./host/work_folder.ts";
import { hasGuest, type LabVm, vmTitle } from "./layout.ts";
import {
  type LabAddress,
  type LabOptions,
  type LabPlace,
  monitorOf,
  type Parts,
  vmsOf,
} from "./types.ts";

/** A lab that this process started, whose agents are ready. */
export interface Lab extends AsyncDisposable {
  readonly address: LabAddress;
  /** Its current VM, and how to recover it. */
  readonly recovery: Recovery;
  /** Why each boot before the one that succeeded was retried. */
  readonly retries: readonly string[];
  /**
   * Connects to its agents. If they are lost, the lab is recovered before reconnecting.
   *
   * @throws {VmLostError} if the VM ends meanwhile; {@linkcode LateError}.
   */
  connect(stop: AbortSignal): Promise<ConnectedEnds>;
}

/**
 * How long a boot may take, in milliseconds. An emulated pair takes 20 s to 30 s on an idle machine
 * and ten times as long on a busy one; a boot that makes no progress is detected much earlier.
 */
export const BOOT_TIME = 600_000;
/** How long a restored VM may take to respond, in milliseconds; the machine may be busy. */
const RESTORE_TIME = 60_000;
/** How long agents that listen may take to respond, in milliseconds. */
const CONNECT_TIME = 60_000;
/** How often a boot is attempted: a failing emulator says nothing about the kernel in it. */
const BOOT_TRIES = 3;

/** Everything needed to start a lab. */
interface Start {
  readonly options: LabOptions;
  readonly parts: Parts;
  readonly lifetime: Lifetime;
  readonly progress: Progress;
  /** Its snapshot, which may not exist yet; undefined if none is to be used. */
  readonly snapshot: Snapshot | undefined;
}

/**
 * Starts a lab, from a snapshot if there is one, and waits until its agents are ready.
 *
 * @param progress its signal ends the start, and any later recovery.
 * @throws {LabError} if something that it needs is not available, or it does not boot;
 * {@linkcode KernelDeathError} if a kernel died during the boot.
 */
export async function startLab(
  options: LabOptions,
  progress: Progress,
  lifetime: Lifetime = "process",
): Promise<Lab> {
  const parts = await prepare(options, progress);
  const snapshot = await snapshotOf(options, parts);
  const start = { options, parts, lifetime, progress, snapshot };
  const restored = await restore(start);
  if (restored !== undefined) return restored;
  const lab = await boot(start);
  if (snapshot !== undefined) await save(start, lab, snapshot);
  return lab;
}

/** The lab's snapshot, which may not exist yet; undefined if none is to be used. */
async function snapshotOf(options: LabOptions, parts: Parts): Promise<Snapshot | undefined> {
  // Under KVM a boot takes a second, and a snapshot would depend on the host's processor as well.
  if (options.cold || parts.accelerator === "kvm") return undefined;
  // Paths that differ from one VM to the next are not part of its state.
  const unnamed = (name: LabVm["name"]): LabVm => ({ name, console: "", shell: "" });
  const args = outerArguments({
    ...parts,
    firmware: [],
    vmlinuz: "vmlinuz",
    initrd: "initrd",
    vms: parts.role === "host" ? [unnamed("host"), unnamed("guest")] : [unnamed(parts.role)],
    monitor: "",
    agents: { host: 0, guest: 0 },
  });
  // A new disk has its files at other places, which the kernel has cached.
  const files = [parts.kernel.vmlinuz, diskId(parts.disk)];
  return new Snapshot(await snapshotKey(parts.qemu.identity, args, files, parts.initrd));
}

async function restore(start: Start): Promise<Lab | undefined> {
  const { parts, progress, snapshot } = start;
  if (snapshot === undefined || !await snapshot.exists()) return undefined;
  try {
    const text = `restoring ${whatOf(start)} with ${parts.kernel.name}`;
    return await progress.phase("restore", text, () => restoreOnce(start, snapshot));
  } catch (error) {
    progress.stop.throwIfAborted();
    progress.log(`${snapshotTrouble(error)}; booting instead`);
    await snapshot.discard();
    return undefined;
  }
}

/** Starts a VM from a snapshot, and waits until its agents respond. */
async function restoreOnce(start: Start, snapshot: Snapshot): Promise<Lab> {
  const lab = await newLab(start, snapshot);
  try {
    const { address, recovery } = lab;
    const answers = async (signal: AbortSignal) => {
      await runsAgain(address, signal);
      using _ = await connectAgents(address, signal);
      await setClocks(address, signal);
    };
    await recovery.vm.during("the restore", RESTORE_TIME, answers, start.progress.stop);
    await recovery.begin();
    return lab;
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Boots a lab. A failure of the emulator says nothing about the kernel in it, so a boot that ended
 * without a kernel logging a reason, or that stalled, is retried, up to three times in all; a
 * kernel that died and logged why is a finding.
 */
async function boot(start: Start): Promise<Lab> {
  const { parts, progress } = start;
  const text = `booting ${whatOf(start)} (${parts.arch.name}) with ${parts.kernel.name}`;
  const retries: string[] = [];
  for (;;) {
    try {
      const lab = await progress.phase("boot", text, (detail) => bootOnce(start, detail));
      return { ...lab, retries };
    } catch (error) {
      const isEmulators = error instanceof VmLostError && parts.accelerator !== "kvm";
      if (!isEmulators || retries.length + 1 === BOOT_TRIES) throw error;
      const why = error.message.split("\n")[0] ?? "";
      retries.push(why);
      progress.log(`${why}; booting again (${retries.length + 1} of ${BOOT_TRIES})`);
    }
  }
}

/**
 * Boots a VM, until its agents listen.
 *
 * @throws {KernelDeathError} if a kernel died and logged why.
 */
async function bootOnce(start: Start, detail: Detail): Promise<Lab> {
  const lab = await newLab(start, undefined);
  const { address, recovery } = lab;
  const kernels = await ConsoleWatch.begin(address);
  try {
    await agentsListen(start, address, recovery.vm, detail);
    await recovery.begin();
    return lab;
  } catch (error) {
    const words = error instanceof VmLostError ? await kernels.postMortem() : [];
    await lab[Symbol.asyncDispose]();
    if (words.length > 0) throw new KernelDeathError([...words, reasonOf(error)].join("\n"));
    if (!(error instanceof LateError)) throw error;
    throw new LateError(`${error.message}\n(use --boot-timeout to allow more time)`, {
      cause: error,
    });
  }
}

/** Saves a lab that has just booted; a failure to do so is only logged. */
async function save({ progress }: Start, { address }: Lab, snapshot: Snapshot): Promise<void> {
  try {
    const text = "saving a snapshot for the next time";
    await progress.phase("snapshot", text, () => snapshot.save(monitorOf(address)));
  } catch (error) {
    progress.stop.throwIfAborted();
    progress.log(snapshotTrouble(error));
  }
}

function whatOf({ options }: Start): string {
  return hasGuest(options.topology) ? "a host and its guest" : "a VM";
}

/** Starts a lab's VM; its agents are not ready yet. */
async function newLab(start: Start, from: Snapshot | undefined): Promise<Lab> {
  const { options, parts, lifetime } = start;
  const folder = await WorkFolder.make("lab");
  const remove = () => folder[Symbol.asyncDispose]();
  try {
    const place = await newPlace(folder.path, options, parts);
    const vm = await startVm(place, parts, lifetime, from);
    const address = { ...place, command: vm.command, pid: vm.pid };
    const recovery = new Recovery(address, vm, {
      start: (why) => startAgain(start, place, why),
      qemuIsTested: options.qemu !== undefined || parts.accelerator === "kvm",
    });
    const connected = (signal: AbortSignal) =>
      connectAgents(address, signal, () => recovery.recover());
    return {
      address,
      recovery,
      retries: [],
      connect: (stop) =>
        recovery.vm.during("connecting to the agents", CONNECT_TIME, connected, stop),
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

/** Starts a VM to replace one that has ended; its agents listen, or are about to. */
async function startAgain(start: Start, place: LabPlace, why: string): Promise<Vm> {
  const { parts, lifetime, progress, snapshot } = start;
  const fromSnapshot = snapshot !== undefined && await snapshot.exists() ? snapshot : undefined;
  const vm = await startVm(place, parts, lifetime, fromSnapshot);
  try {
    if (fromSnapshot !== undefined) {
      await progress.phase("restore", `${why}; restoring the lab`, () => {
        const runs = async (signal: AbortSignal) => {
          await runsAgain(place, signal);
          await setClocks(place, signal);
        };
        return vm.during("the restore", RESTORE_TIME, runs, progress.stop);
      });
      return vm;
    }
    const text = `${why}; booting the lab again`;
    await progress.phase("boot", text, (detail) => agentsListen(start, place, vm, detail));
    return vm;
  } catch (error) {
    await vm[Symbol.asyncDispose]();
    throw error;
  }
}

/** Follows a boot by its consoles: reports its progress, and ends it if it stalls. */
async function agentsListen(
  { options, parts, progress }: Start,
  place: LabPlace,
  vm: Vm,
  detail: Detail,
): Promise<void> {
  const clock = new OwnClock(vm.pid);
  const watch = new BootWatch(vmsOf(place).map(({ name }) => vmTitle(name)), await clock.now());
  const booted = Promise.withResolvers<void>();
  const observe = async (consoles: readonly string[]) => {
    detail(watch.progress(consoles));
    if (watch.isUp(consoles)) booted.resolve();
    const stalled = watch.take(consoles, await clock.now());
    if (stalled !== undefined && parts.accelerator !== "kvm") throw new VmStalledError(stalled);
  };
  const limit = options.bootTime ?? BOOT_TIME;
  await vm.during("the boot", limit, () => booted.promise, progress.stop, observe);
}
