/**
 * This process as one side of cases: its sockets, its facts, its catalogue.
 *
 * @module
 */
import type { Role } from "../core/case.ts";
import type { EndFacts } from "../core/event.ts";
import { UsageError } from "../core/error.ts";
import type { SideRunner } from "./session.ts";
import { findCase } from "../suites/catalogue.ts";
import { executeSide } from "./execute.ts";
import type { ConformanceCase } from "../kit/mod.ts";
import { featuresHere, lackingOf } from "../kit/features.ts";
import { AF_VSOCK, VMADDR_CID_ANY } from "../sys/constants.ts";
import { SysError } from "../sys/errno.ts";
import { localCids } from "../sys/transports.ts";
import { kernelTaint, type Machine, machineOf } from "../sys/machine.ts";
import { Socket } from "../sys/socket.ts";
import { VSOCK } from "../sys/structs.ts";
import { VERSION } from "../core/version.ts";
import type { KernelWatch } from "./kernel_log_watch.ts";
import { machineFacts } from "../core/facts.ts";
import type { Watched } from "./watches.ts";
import { familyOf, type SideSettings } from "./settings.ts";

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
