/**
 * This process as one side of cases: its sockets, its facts, its catalogue.
 *
 * @module
 */
import type { Role } from "../core/case.ts";
import type { EndFacts } from "../core/event.ts";
import type { SideRunner } from "../peer/agent.ts";
import { findCase } from "../suites/catalogue.ts";
import { executeSide } from "../suites/execute.ts";
import type { ConformanceCase } from "../suites/kit.ts";
import { lackingOf } from "../suites/kit/features.ts";
import { AF_VSOCK } from "../sys/constants.ts";
import { SysError } from "../sys/errno.ts";
import { localCid } from "../sys/facts.ts";
import { Socket } from "../sys/socket.ts";
import { type AddressFamily, unixStandIn, VSOCK } from "../sys/structs.ts";
import { VERSION } from "../core/version.ts";
import { KernelWatch } from "./kernel_watch.ts";
import { UsageError } from "./usage.ts";

/** Which sockets this side uses. */
export interface SideSettings {
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

/** Watches the log of the kernel whose sockets the settings choose. */
export function watchKernel({ standIn }: SideSettings): KernelWatch {
  return standIn === undefined ? KernelWatch.open() : KernelWatch.none();
}

/**
 * What this side is.
 *
 * @throws {UsageError} where it has no AF_VSOCK and is to use it.
 */
export function ownFacts(name: string, settings: SideSettings, watch?: KernelWatch): EndFacts {
  const facts = {
    name,
    kernel: Deno.osRelease(),
    machine: Deno.build.arch,
    version: VERSION,
    ...(watch?.unwatched === undefined ? {} : { unwatched: watch.unwatched }),
  };
  const family = familyOf(settings);
  if (family.domain !== AF_VSOCK) return facts;
  requireVsock();
  try {
    return { ...facts, localCid: localCid() };
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
