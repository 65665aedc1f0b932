/**
 * This process as one side of cases: its sockets, its facts, its catalogue.
 *
 * @module
 */
import type { Role } from "../core/case.ts";
import type { EndFacts, LeakFacts } from "../core/event.ts";
import type { SideReport, SideState } from "../core/outcome.ts";
import { reasonOf } from "../core/reason.ts";
import { NOTHING_LEFT } from "../core/side_by_side.ts";
import type { SideRunner } from "../peer/agent.ts";
import { findCase } from "../suites/catalogue.ts";
import { executeSide } from "../suites/execute.ts";
import type { ConformanceCase } from "../suites/kit.ts";
import { featuresHere, lackingOf } from "../suites/kit/features.ts";
import { AF_VSOCK, VMADDR_CID_ANY, VMADDR_CID_LOCAL } from "../sys/constants.ts";
import { SysError } from "../sys/errno.ts";
import { localCids } from "../sys/facts.ts";
import { kernelTaint, type Machine, machineOf } from "../sys/machine.ts";
import { Socket } from "../sys/socket.ts";
import { type AddressFamily, unixStandIn, VSOCK } from "../sys/structs.ts";
import { VERSION } from "../core/version.ts";
import { type KernelRecord, KernelWatch } from "./kernel_watch.ts";
import { LeakWatch } from "./leak_watch.ts";
import { UsageError } from "./usage.ts";

/** Which sockets this side uses. */
export interface SideSettings {
  /** Nothing else goes on on this machine: what its kernel holds is the cases' doing. */
  readonly exclusive?: boolean | undefined;
  /** The CID of the other side. */
  readonly peerCid: number;
  /** AF_UNIX in AF_VSOCK's place, under this name: for trying the tool itself. */
  readonly standIn?: string | undefined;
  /** The Unix socket of the monitor (QMP) of the guest's QEMU, where that is on this machine. */
  readonly guestMonitor?: string | undefined;
}

/** The family that the settings choose. */
export function familyOf({ standIn }: SideSettings): AddressFamily {
  return standIn === undefined ? VSOCK : unixStandIn(standIn);
}

/**
 * Has the engine load its timers, without which there are no deadlines. In an emulated VM that
 * takes 0.2 s, which are to be no case's.
 */
export function loadTimers(): void {
  clearTimeout(setTimeout(() => {}));
}

/** Runs sides of the catalogue's cases in this process. */
export function sideRunner(settings: SideSettings): SideRunner {
  const family = familyOf(settings);
  return (order) => {
    const definition = findCase(order.id);
    if (definition === undefined) {
      return Promise.resolve({
        state: "broken",
        reasons: [`this side's version ${VERSION} has no case ${order.id}; use the same on both`],
        step: "",
        milliseconds: 0,
      });
    }
    const { peerCid, guestMonitor } = settings;
    const monitor = guestMonitor === undefined ? {} : { guestMonitor };
    return executeSide(definition, order.role, { ...order, family, peerCid, ...monitor });
  };
}

/** What this side lacks of what a case needs, one line each. */
export function lackingHere(
  definition: ConformanceCase,
  role: Role,
  settings: SideSettings,
  port: number,
): Promise<string[]> {
  return lackingOf(definition, role, {
    family: familyOf(settings),
    peerCid: settings.peerCid,
    port,
  });
}

/** Why the guest's monitor cannot be used now; undefined where it can, or none was named. */
export async function monitorTrouble(
  { guestMonitor }: SideSettings,
): Promise<string | undefined> {
  if (guestMonitor === undefined) return undefined;
  const isSocket = await Deno.stat(guestMonitor).then((info) => info.isSocket, () => false);
  return isSocket ? undefined : `--guest-monitor: there is no Unix socket at ${guestMonitor}`;
}

/** Why this side does not have each feature; undefined where it has it. */
export function featuresOf(settings: SideSettings, port: number) {
  const { peerCid } = settings;
  return featuresHere({ family: familyOf(settings), peerCid, port });
}

/** What an end says of how its kernel is watched. */
type Watched = Pick<EndFacts, "unwatched" | "leaks">;

/** What watches the kernel of a side: its log, and what it leaks. */
export class Watches implements Disposable {
  readonly log: KernelWatch;
  readonly leaks: LeakWatch;

  constructor(log: KernelWatch, leaks: LeakWatch) {
    this.log = log;
    this.leaks = leaks;
  }

  /**
   * Begins to watch the kernel whose sockets the settings choose.
   *
   * @param record what an earlier process knew of it.
   */
  static async open(
    { standIn, exclusive = false, peerCid }: SideSettings,
    record?: KernelRecord,
  ): Promise<Watches> {
    return standIn === undefined
      ? new Watches(
        KernelWatch.open({ record }),
        await LeakWatch.machine(exclusive, peerCid === VMADDR_CID_LOCAL),
      )
      : new Watches(KernelWatch.none(), await LeakWatch.none());
  }

  /** What {@linkcode open} would watch; begins nothing. */
  static async possible({ standIn, exclusive = false }: SideSettings): Promise<Watched> {
    if (standIn !== undefined) return {};
    using log = KernelWatch.open();
    return watchedBy(log, await LeakWatch.possible(exclusive));
  }

  /** What is watched. */
  get watched(): Watched {
    return watchedBy(this.log, this.leaks.facts);
  }

  /**
   * A runner whose reports carry what was seen meanwhile, and that looks for leaks where it is told to.
   *
   * @param onBegin called when what came before a side is known.
   */
  around(runSide: SideRunner, onBegin?: () => void): SideRunner {
    const watched = this.log.around(runSide, onBegin);
    return (order) => order.id === NOTHING_LEFT.id ? this.#look(order.role) : watched(order);
  }

  /** Looks at what the sides before have left: what the log has by now is of those, too. */
  async #look(role: Role): Promise<SideReport> {
    const started = performance.now();
    const report = (state: SideState, reasons: readonly string[], found: Partial<SideReport>) => {
      const { splats = [], ...rest } = found;
      const faults = [...this.log.look(), ...splats];
      const { harm } = this.log;
      return {
        ...{ state, reasons, step: "", milliseconds: Math.round(performance.now() - started) },
        ...rest,
        ...(faults.length === 0 ? {} : { splats: faults }),
        ...(harm === undefined ? {} : { harm }),
      };
    };
    try {
      return report("pass", [], await this.leaks.look(role));
    } catch (error) {
      return report("broken", [`it could not look for leaks: ${reasonOf(error)}`], {});
    }
  }

  [Symbol.dispose](): void {
    this.log[Symbol.dispose]();
  }
}

function watchedBy({ unwatched }: KernelWatch, leaks: LeakFacts | undefined): Watched {
  return {
    ...(unwatched === undefined ? {} : { unwatched }),
    ...(leaks === undefined ? {} : { leaks }),
  };
}

/** What can be said of this machine by a process that has no sockets here. */
export function machineFacts(name: string): EndFacts {
  return { name, kernel: Deno.osRelease(), machine: Deno.build.arch, version: VERSION };
}

/** What holds of this machine as long as its kernel runs, for reports. */
export function machineDetails(): Promise<Machine> {
  return machineOf(Deno.osRelease(), Deno.build.arch);
}

/** How this kernel is now, where it is what is tried: its taint, and what its log holds. */
export function kernelStateHere(
  { standIn }: SideSettings,
  { seen }: KernelWatch,
): Pick<EndFacts, "taint" | "faultsBefore"> {
  const taint = standIn === undefined ? kernelTaint() : undefined;
  return {
    ...(taint === undefined ? {} : { taint }),
    ...(seen.length === 0 ? {} : { faultsBefore: [...seen] }),
  };
}

/**
 * What this side is.
 *
 * @param watched how its kernel is watched, where it is.
 * @throws {UsageError} where it has no AF_VSOCK and is to use it.
 */
export function ownFacts(name: string, settings: SideSettings, watched: Watched = {}): EndFacts {
  const facts = { ...machineFacts(name), ...watched };
  const family = familyOf(settings);
  if (family.domain !== AF_VSOCK) return facts;
  requireVsock();
  try {
    const cids = localCids();
    const [localCid = VMADDR_CID_ANY] = cids;
    return { ...facts, localCid, ...(cids.length > 1 ? { localCids: cids } : {}) };
  } catch (error) {
    // Without /dev/vsock, or without the right to open it, the CID just stays unknown.
    if (error instanceof SysError) return facts;
    throw error;
  }
}

/** @throws {UsageError} where this kernel has no AF_VSOCK. */
function requireVsock(): void {
  try {
    Socket.open(VSOCK, "stream")[Symbol.dispose]();
  } catch (error) {
    if (error instanceof SysError && error.code === "EAFNOSUPPORT") {
      throw new UsageError(
        `this kernel (${Deno.osRelease()}) has no AF_VSOCK (${error.message}); load the module ` +
          "with 'modprobe vsock', or boot a kernel with CONFIG_VSOCKETS",
      );
    }
    throw error;
  }
}
