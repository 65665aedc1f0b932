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
 * @throws {LabError} naming what was last wrong, when `signal` is aborted first.
 */
export async function openEnds(
  { topology, ports }: LabAddress,
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
      const kinds = [PeerGoneError, SilentPeerError, ProtocolError];
      const expected = kinds.some((kind) => error instanceof kind);
      if (!expected && !signal.aborted) throw error;
      const reason = reasonOf(error);
      if (signal.aborted) throw new LabError(`the ${name}'s agent does not answer: ${reason}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The controller of a lab is no side of its cases. */
export const SELF: EndFacts = machineFacts("lab");
