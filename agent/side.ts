/**
 * This process as one side of cases: its facts, its features, and the runner of its catalogue.
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
import { familyOf, isOfVsock, type SideSettings, socketsOf } from "./settings.ts";

/**
 * Makes the engine load its timers, which deadlines need. In an emulated VM that takes 0.2 s, which
 * must not be part of a case's time.
 */
export function loadTimers(): void {
  clearTimeout(setTimeout(() => {}));
}

/** Runs sides of the catalogue's cases in this process. */
export function sideRunner(settings: SideSettings): SideRunner {
  const sockets = socketsOf(settings);
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
    return executeSide(definition, order.role, { ...order, ...sockets, peerCid, ...monitor });
  };
}

/** The features that a case needs and this side lacks, one line each. */
export function lackingHere(
  definition: ConformanceCase,
  role: Role,
  settings: SideSettings,
  port: number,
): Promise<string[]> {
  return lackingOf(definition, role, {
    ...socketsOf(settings),
    peerCid: settings.peerCid,
    port,
  });
}

/** Why the guest's monitor cannot be used now; undefined if it can, or none was given. */
export async function monitorTrouble(
  { guestMonitor }: SideSettings,
): Promise<string | undefined> {
  if (guestMonitor === undefined) return undefined;
  const isSocket = await Deno.stat(guestMonitor).then((info) => info.isSocket, () => false);
  return isSocket ? undefined : `--guest-monitor: there is no Unix socket at ${guestMonitor}`;
}

/** For each feature, why this side lacks it; undefined if it does not. */
export function featuresOf(settings: SideSettings, port: number) {
  const { peerCid } = settings;
  return featuresHere({ ...socketsOf(settings), peerCid, port });
}

/** Facts about this machine that do not change while its kernel runs, for reports. */
export function machineDetails(): Promise<Machine> {
  return machineOf(Deno.osRelease(), Deno.build.arch);
}

/** This kernel's current state, unless it is not tested: its taint, and faults in its log. */
export function kernelStateHere(
  settings: SideSettings,
  { seen }: KernelWatch,
): Pick<EndFacts, "taint" | "faultsBefore"> {
  const taint = isOfVsock(settings) ? kernelTaint() : undefined;
  return {
    ...(taint === undefined ? {} : { taint }),
    ...(seen.length === 0 ? {} : { faultsBefore: [...seen] }),
  };
}

/**
 * The facts about this side.
 *
 * @param watched how its kernel is watched, if it is.
 * @throws {UsageError} if it is to use AF_VSOCK, and the kernel has none.
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
    // If /dev/vsock is missing or cannot be opened, the CID stays unknown.
    if (error instanceof SysError) return facts;
    throw error;
  }
}

/** @throws {UsageError} if this kernel has no AF_VSOCK. */
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
