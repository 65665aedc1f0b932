/**
 * The command `run`: this process is one end, an agent elsewhere is the other.
 *
 * @module
 */
import type { Topology } from "../core/plan.ts";
import { serveController } from "../peer/agent.ts";
import { connectControl, type ControlAddress, LineChannel, streamPair } from "../peer/channel.ts";
import { End } from "../peer/controller.ts";
import { unlessAborted } from "../peer/lines.ts";
import { VMADDR_CID_HOST, VMADDR_CID_LOCAL } from "../sys/constants.ts";
import { baselineOf, chosenCases, conduct, interruptible } from "./conduct.ts";
import type { ConductOptions } from "./conduct_options.ts";
import { ownFacts, sideRunner, type SideSettings, Watches } from "./side.ts";
import { UsageError } from "./usage.ts";

/** Options of `run`. */
export interface RunOptions extends ConductOptions, SideSettings {
  readonly agent: ControlAddress;
  readonly connectTimeout: number;
}

/** Runs the chosen cases against an agent. */
export async function run(selectors: readonly string[], options: RunOptions): Promise<number> {
  const cases = chosenCases(selectors);
  const baseline = await baselineOf(options);
  const { topology, here, there } = placeOf(options.peerCid);
  return await interruptible(async (stop) => {
    using watches = await Watches.open(options);
    const facts = ownFacts(here, options, watches);
    const runSide = watches.around(sideRunner(options));
    const [near, far] = streamPair();
    const served = serveController(new LineChannel(far), facts, runSide);
    const local = await End.open(here, new LineChannel(near), facts);
    const channel = await connectControl(options.agent, options.connectTimeout, stop);
    try {
      const remote = await unlessAborted(End.open(there, channel, facts), stop);
      requireCid(options.peerCid, remote.facts.localCid);
      const ends = here === "guest"
        ? { host: remote, guest: local }
        : { host: local, guest: remote };
      return await conduct({ topology, ends, cases, baseline }, options, stop);
    } finally {
      channel.close();
      local.close();
      await served;
    }
  });
}

/** What this end is, by the CID of the other. */
function placeOf(peerCid: number): { topology: Topology; here: string; there: string } {
  if (peerCid === VMADDR_CID_LOCAL) {
    return { topology: "loopback", here: "loopback", there: "loopback" };
  }
  return peerCid === VMADDR_CID_HOST
    ? { topology: "guest-host", here: "guest", there: "host" }
    : { topology: "guest-host", here: "host", there: "guest" };
}

/** @throws {UsageError} where the agent has another CID than the one given. */
function requireCid(peerCid: number, localCid: number | undefined): void {
  const own = localCid ?? 0xffffffff;
  // A machine that is guest of one and host of another has CID 2 for its own guests as well.
  if (peerCid <= VMADDR_CID_HOST || own === 0xffffffff || own === peerCid) return;
  throw new UsageError(
    `--peer-cid is ${peerCid}, but the agent's machine says that its CID is ${own}`,
  );
}
