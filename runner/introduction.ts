/**
 * Introduces the controller to an agent.
 *
 * @module
 */
import type { EndFacts } from "../core/event.ts";
import { type LineChannel, PeerGoneError } from "../control/channel.ts";
import { decodeHello, encodeHello, type Greeting } from "../control/greeting.ts";

/** Introduces the controller on a connection, and returns the agent's introduction. */
export type Introduction = (channel: LineChannel, milliseconds: number) => Promise<Greeting>;

/** Greets an agent; `more` is the part of the greeting besides the facts. */
export async function greet(
  channel: LineChannel,
  own: EndFacts,
  more: Omit<Greeting, "facts">,
  milliseconds: number,
): Promise<Greeting> {
  await channel.writeLine(encodeHello(own, more));
  try {
    return decodeHello(await channel.readLine(milliseconds));
  } catch (error) {
    if (!(error instanceof PeerGoneError)) throw error;
    const text = `${error.message} instead of introducing itself; is it an agent of this version?`;
    throw new PeerGoneError(text, { cause: error });
  }
}
