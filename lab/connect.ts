/**
 * The agents of a lab, as its controller reaches them.
 *
 * @module
 */
import type { EndFacts } from "../core/event.ts";
import { reasonOf } from "../core/error.ts";
import { connectControl, PeerGoneError, SilentPeerError } from "../control/channel.ts";
import type { Ends } from "../runner/case.ts";
import { End } from "../runner/end.ts";
import { RefusedError } from "../control/greeting.ts";
import { ProtocolError } from "../control/wire.ts";
import { LabError } from "./error.ts";
import { labToken } from "./token.ts";
import type { LabAddress } from "./types.ts";
import { machineFacts } from "../core/facts.ts";

/** How long an agent may take to answer before it is asked anew, in milliseconds. */
const ANSWER_TIME = 3000;

/**
 * Connects to a lab's agents, as soon as they answer.
 *
 * @param onLost called before each attempt to reach one again that was lost.
 * @throws {LabError} naming what was last wrong, when `signal` is aborted first; at once where an
 *   agent refuses this controller, as it will every time.
 */
export async function openEnds(
  { topology, ports }: Pick<LabAddress, "topology" | "ports">,
  own: EndFacts,
  signal: AbortSignal,
  onLost: () => Promise<void> = () => Promise.resolve(),
): Promise<Ends> {
  const names = topology === "loopback"
    ? ["loopback", "loopback"] as const
    : ["host", "guest"] as const;
  const host = await openEnd(names[0], ports[0], own, signal, onLost);
  try {
    return { host, guest: await openEnd(names[1], ports[1], own, signal, onLost) };
  } catch (error) {
    host.close();
    throw error;
  }
}

/** How long an agent may say nothing at all before its VM is taken to stand still. */
const SILENCE = 20_000;

/** The ends of a lab of which nothing comes, not even that another controller is being served. */
export async function silentEnds(address: LabAddress, own: EndFacts): Promise<string[]> {
  const found = await Promise.all(address.ports.map(async (port, i) => {
    const name = address.topology === "loopback" ? "VM" : ["host", "guest"][i] ?? "";
    try {
      const channel = await connectControl({ host: "127.0.0.1", port }, SILENCE);
      try {
        await End.open(name, channel, own, { helloTime: SILENCE });
      } finally {
        channel.close();
      }
    } catch (error) {
      if (error instanceof SilentPeerError) return [name];
      // It said something else, or closed: it lives.
      if (!(error instanceof PeerGoneError || error instanceof ProtocolError)) throw error;
    }
    return [];
  }));
  return [...new Set(found.flat())];
}

async function openEnd(
  name: string,
  port: number,
  own: EndFacts,
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
        return await End.open(name, channel, own, options);
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
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** An agent that knows other controllers, or speaks another version: what to do. */
function refused(name: string, error: RefusedError): LabError {
  return new LabError(
    `the ${name}'s agent turned this controller away (${error.message}): use the cache ` +
      "(VSOCK_CONFORMANCE_CACHE) and the version of the tool that the lab was booted with, " +
      "or boot it anew with 'lab down' and 'lab up'",
  );
}

/** The controller of a lab is no side of its cases. */
export const SELF: EndFacts = machineFacts("lab");
