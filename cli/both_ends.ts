/**
 * This machine, with an agent of its own, as one end, and an agent elsewhere as the other.
 *
 * @module
 */
import type { Topology } from "../core/plan.ts";
import type { ControlAddress } from "../control/channel.ts";
import type { Ends } from "../runner/case.ts";
import type { PortRange } from "../control/greeting.ts";
import { newToken } from "../control/token.ts";
import { VMADDR_CID_HOST, VMADDR_CID_LOCAL } from "../sys/constants.ts";
import { requirePorts, runToken } from "./access.ts";
import { addressOf, LOCAL_TIME, openEnd, passOn } from "./agents.ts";
import { sideArguments, SupervisedAgent } from "../agent/supervisor.ts";
import { UsageError } from "../core/error.ts";
import type { SideSettings } from "../agent/settings.ts";

/** How the agent elsewhere is reached. */
export interface AgentElsewhere {
  readonly agent: ControlAddress;
  /** In milliseconds. */
  readonly connectTimeout: number;
  /** The agent's token, or the file that has it. */
  readonly token?: string;
  readonly tokenFile?: string;
}

/** What {@linkcode withEnds} must know. */
export type EndsOptions =
  & SideSettings
  & AgentElsewhere
  & { readonly ports: PortRange };

/**
 * Starts an agent on this machine, connects to it and to the one elsewhere, and does something with
 * both ends.
 *
 * @throws {UsageError} where the agent elsewhere is not that of the CID, or does not let the ports be
 * used.
 */
export async function withEnds(
  options: EndsOptions,
  stop: AbortSignal,
  body: (ends: Ends) => Promise<number>,
): Promise<number> {
  const { here, there } = placeOf(options.peerCid);
  const token = await runToken(options);
  const ownToken = newToken();
  await using agent = await SupervisedAgent.start({
    args: [...sideArguments(options), "--ports", options.ports.join("-")],
    listen: "127.0.0.1:0",
    token: ownToken,
    onError: passOn,
  });
  const far = { address: options.agent, milliseconds: options.connectTimeout, token };
  using remote = await openEnd(there, far, stop);
  requireCid(options.peerCid, remote.facts.localCid);
  requirePorts(options.ports, remote.ports);
  const near = { address: await addressOf(agent, stop), milliseconds: LOCAL_TIME };
  using local = await openEnd(here, { ...near, token: ownToken }, stop);
  const isGuest = here === "guest";
  return await body(isGuest ? { host: remote, guest: local } : { host: local, guest: remote });
}

/** Which end this machine is, by the CID of the other. */
export function placeOf(peerCid: number): { topology: Topology; here: string; there: string } {
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
