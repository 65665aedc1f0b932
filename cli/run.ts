/**
 * The command `run`: this machine, with an agent of its own, is one end; an agent elsewhere is the
 * other.
 *
 * @module
 */
import type { Topology } from "../core/plan.ts";
import type { ControlAddress } from "../control/channel.ts";
import { newToken } from "../control/token.ts";
import { VMADDR_CID_HOST, VMADDR_CID_LOCAL } from "../sys/constants.ts";
import { portsOf, requirePorts, runToken } from "./access.ts";
import { addressOf, LOCAL_TIME, openEnd, passOn } from "./agents.ts";
import type { CasesOptions } from "./options/run.ts";
import { Session } from "./session.ts";
import { monitorTrouble } from "../agent/side.ts";
import { sideArguments, SupervisedAgent } from "../agent/supervisor.ts";
import { UsageError } from "../core/error.ts";
import { interruptible } from "./signals.ts";
import type { SideSettings } from "../agent/settings.ts";

/** Options of `run`. */
export interface RunOptions extends CasesOptions, SideSettings {
  readonly agent: ControlAddress;
  readonly connectTimeout: number;
  /** The agent's token, or the file that has it. */
  readonly token?: string;
  readonly tokenFile?: string;
}

/** Runs the chosen cases against an agent. */
export function run(selectors: readonly string[], options: RunOptions): Promise<number> {
  const { topology, here, there } = placeOf(options.peerCid);
  return interruptible((stop) =>
    Session.reported(options, topology, stop, async (session) => {
      await session.choose(selectors);
      session.place(topology);
      const trouble = await monitorTrouble(options);
      if (trouble !== undefined) throw new UsageError(trouble);
      const token = await runToken(options);
      const ownToken = newToken();
      await using agent = await SupervisedAgent.start({
        args: [...sideArguments(options), "--ports", portsOf(options).join("-")],
        listen: "127.0.0.1:0",
        token: ownToken,
        onError: passOn,
      });
      const far = { address: options.agent, milliseconds: options.connectTimeout, token };
      using remote = await openEnd(there, far, stop);
      requireCid(options.peerCid, remote.facts.localCid);
      requirePorts(options, remote.ports);
      const near = { address: await addressOf(agent, stop), milliseconds: LOCAL_TIME };
      using local = await openEnd(here, { ...near, token: ownToken }, stop);
      const isGuest = here === "guest";
      const ends = isGuest ? { host: remote, guest: local } : { host: local, guest: remote };
      return await session.runCases({ ends });
    })
  );
}

/** Which end this machine is, by the CID of the other. */
function placeOf(peerCid: number): { topology: Topology; here: string; there: string } {
  if (peerCid === VMADDR_CID_LOCAL) {
    return { topology: "loopback", here: "loopback", there: "loopback" };
  }
  return peerCid === VMADDR_CID_HOST
    ? { topology: "guest-host", here: "guest", there: "host" }
    : { topology: "guest-host", here: "host", there: "guest" };
}

/** @throws {UsageError} if the agent has a CID other than the one given. */
function requireCid(peerCid: number, localCid: number | undefined): void {
  const own = localCid ?? 0xffffffff;
  // A machine that is a guest and a host at once also has CID 2, for its own guests.
  if (peerCid <= VMADDR_CID_HOST || own === 0xffffffff || own === peerCid) return;
  throw new UsageError(
    `--peer-cid is ${peerCid}, but the agent's machine says that its CID is ${own}`,
  );
}
