/**
 * Connects a controller to the agents of a lab.
 *
 * @module
 */
import { pause } from "../core/wait.ts";
import type { EndFacts } from "../core/event.ts";
import { reasonOf } from "../core/error.ts";
import { machineFacts } from "../core/facts.ts";
import { connectControl, PeerGoneError, SilentPeerError } from "../control/channel.ts";
import { RefusedError } from "../control/greeting.ts";
import { ProtocolError } from "../control/wire.ts";
import { closeEnds, type Ends } from "../runner/case.ts";
import { End } from "../runner/end.ts";
import { LabError } from "./error.ts";
import { vmTitle } from "./layout.ts";
import { labToken } from "./token.ts";
import type { LabAddress } from "./types.ts";

/** The two ends of a lab, until they are disposed of. */
export interface ConnectedEnds extends Ends, Disposable {}

/** How the controller introduces itself; it runs no side of a case. */
const SELF: EndFacts = machineFacts("lab");
/** How long an agent may take to answer before it is asked again, in milliseconds. */
const ANSWER_TIME = 3000;
/** How long to wait before asking again, in milliseconds. */
const PAUSE = 50;

/** What a controller must know of a lab in order to connect. */
type Reachable = Pick<LabAddress, "vms" | "agents">;

/**
 * Connects to a lab's agents, as soon as they answer.
 *
 * @param onLost called before each attempt to reconnect to an agent that was lost.
 * @throws {LabError} with the last error, if `signal` is aborted first; immediately if an agent
 *   refuses this controller, since it would refuse every time.
 */
export async function connectAgents(
  { vms: [outer, guest = outer], agents }: Reachable,
  signal: AbortSignal,
  onLost: () => Promise<void> = () => Promise.resolve(),
): Promise<ConnectedEnds> {
  const host = await connectAgent(outer.name, agents.host, signal, onLost);
  try {
    const ends = { host, guest: await connectAgent(guest.name, agents.guest, signal, onLost) };
    return { ...ends, [Symbol.dispose]: () => closeEnds(ends) };
  } catch (error) {
    host.close();
    throw error;
  }
}

/** An agent that sends nothing for this long counts as stalled, in milliseconds. */
const SILENCE = 20_000;

/** The VMs of a lab whose agents send nothing, not even that another controller is being served. */
export async function silentVms({ vms: [outer, guest = outer], agents }: Reachable) {
  const all = [[outer, agents.host], [guest, agents.guest]] as const;
  const found = await Promise.all(all.map(async ([vm, port]) => {
    try {
      const channel = await connectControl({ host: "127.0.0.1", port }, SILENCE);
      try {
        await End.open(vm.name, channel, SELF, { helloTime: SILENCE });
      } finally {
        channel.close();
      }
    } catch (error) {
      if (error instanceof SilentPeerError) return [vmTitle(vm.name)];
      // It sent something else, or closed the connection: it is alive.
      if (!(error instanceof PeerGoneError || error instanceof ProtocolError)) throw error;
    }
    return [];
  }));
  return [...new Set(found.flat())];
}

async function connectAgent(
  name: string,
  port: number,
  signal: AbortSignal,
  onLost: () => Promise<void>,
): Promise<End> {
  const address = { host: "127.0.0.1", port };
  const again = async (milliseconds: number) => {
    await onLost();
    return await connectControl(address, milliseconds);
  };
  const options = { again, helloTime: ANSWER_TIME, token: await labToken() };
  let last: unknown;
  for (;;) {
    try {
      const channel = await connectControl(address, ANSWER_TIME, signal);
      try {
        return await End.open(name, channel, SELF, options);
      } catch (error) {
        channel.close();
        throw error;
      }
    } catch (error) {
      if (error instanceof RefusedError) throw refused(name, error);
      const kinds = [PeerGoneError, SilentPeerError, ProtocolError];
      const expected = kinds.some((kind) => error instanceof kind);
      if (!expected && !signal.aborted) throw error;
      if (expected) last = error;
      if (signal.aborted) {
        throw new LabError(`the ${name}'s agent does not answer: ${reasonOf(last ?? error)}`);
      }
      await pause(PAUSE);
    }
  }
}

/** The error for an agent with another token or another version of the protocol. */
function refused(name: string, error: RefusedError): LabError {
  return new LabError(
    `the ${name}'s agent refused this controller (${error.message}): use the cache ` +
      "(VSOCK_CONFORMANCE_CACHE) and the version of the tool that the lab was booted with, " +
      "or boot it again with 'lab down' and 'lab up'",
  );
}
