/**
 * The command `wire host`: cases of a raw guest against the kernel of this machine, with no VM.
 *
 * @module
 */
import { UsageError } from "../core/error.ts";
import { newToken } from "../control/token.ts";
import { SupervisedAgent } from "../agent/supervisor.ts";
import { VMADDR_CID_LOCAL } from "../sys/constants.ts";
import { VhostVsock } from "../sys/dev_vhost_vsock.ts";
import { SysError } from "../sys/errno.ts";
import { portsOf } from "./access.ts";
import { addressOf, LOCAL_TIME, openEnd, passOn } from "./agents.ts";
import type { CasesOptions } from "./options/run.ts";
import { chosenCases } from "./run_cases.ts";
import { Session } from "./session.ts";
import { interruptible } from "./signals.ts";

/** Options of `wire host`. */
export interface WireHostOptions extends CasesOptions {
  readonly exclusive?: boolean | undefined;
}

/** The family of these cases. */
const FAMILY = "wire";

/** Runs the chosen cases. */
export function wireHost(selectors: readonly string[], options: WireHostOptions): Promise<number> {
  return interruptible((stop) =>
    Session.reported(options, "loopback", stop, async (session) => {
      const chosen = selectors.length === 0 ? [FAMILY] : selectors;
      requireWire(chosen);
      await session.choose(chosen);
      session.place("loopback");
      requireDevice();
      const token = newToken();
      // Both ends of a case are on this machine, each with an agent, as on loopback.
      await using here = await startAgent(options, token);
      await using there = await startAgent(options, token);
      const [host, guest] = await Promise.all([here, there].map(async (agent) => {
        const address = await addressOf(agent, stop);
        return await openEnd("loopback", { address, milliseconds: LOCAL_TIME, token }, stop);
      }));
      if (host === undefined || guest === undefined) throw new Error("an agent is missing");
      using _ = host;
      using __ = guest;
      return await session.runCases({ ends: { host, guest } });
    })
  );
}

function startAgent(options: WireHostOptions, token: string): Promise<SupervisedAgent> {
  return SupervisedAgent.start({
    args: [
      ...["--peer-cid", `${VMADDR_CID_LOCAL}`, "--ports", portsOf(options).join("-")],
      ...(options.exclusive ? ["--exclusive"] : []),
    ],
    listen: "127.0.0.1:0",
    token,
    onError: passOn,
  });
}

/** @throws {UsageError} where cases were chosen that need another machine. */
function requireWire(selectors: readonly string[]): void {
  const other = chosenCases(selectors).find(({ id }) => !id.startsWith(`${FAMILY}/`));
  if (other === undefined) return;
  throw new UsageError(`${other.id} is no case of the wire: "wire host" runs ${FAMILY}/ alone`);
}

/** @throws {UsageError} where this machine cannot be a host, with what it lacks. */
function requireDevice(): void {
  try {
    VhostVsock.open()[Symbol.dispose]();
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    throw new UsageError(`Cannot be a host: ${error.message}${remedy(error)}`);
  }
}

function remedy({ code }: SysError): string {
  switch (code) {
    case "ENOENT":
    case "ENODEV":
    case "ENXIO":
      return "; load the module with 'modprobe vhost_vsock', on a kernel with CONFIG_VHOST_VSOCK";
    case "EACCES":
    case "EPERM":
      return "; run as root, or give this user the right to read and write it";
    default:
      return "";
  }
}
