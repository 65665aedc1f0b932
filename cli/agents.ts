/**
 * Agents that a command uses: how it reaches one, and starts one on this machine.
 *
 * @module
 */
import { pause } from "../core/wait.ts";
import {
  connectControl,
  type ControlAddress,
  type LineChannel,
  PeerGoneError,
} from "../control/channel.ts";
import { BusyError } from "../control/greeting.ts";
import { unlessAborted } from "../control/lines.ts";
import { machineFacts } from "../core/facts.ts";
import { End } from "../runner/end.ts";
import type { SupervisedAgent } from "../agent/supervisor.ts";
import { writeStderr } from "../report/screen.ts";

/** How long the agent on this machine may take to answer, in milliseconds. */
export const LOCAL_TIME = 30_000;
/** How long to wait before asking a busy agent again, in milliseconds. */
const PAUSE = 100;

/** How an agent is reached. */
export interface Reach {
  readonly address: ControlAddress;
  /** How long that may take, also after losing it. */
  readonly milliseconds: number;
  /** Its token. */
  readonly token: string | undefined;
}

/** Connects to an agent. One that is busy is asked again until the time is over. */
export async function openEnd(name: string, reach: Reach, stop: AbortSignal): Promise<End> {
  const { address, milliseconds } = reach;
  const deadline = performance.now() + milliseconds;
  const left = () => Math.max(1, deadline - performance.now());
  for (let isFirst = true;; isFirst = false) {
    try {
      const channel = await connectControl(address, left(), stop);
      return await introduce(name, channel, reach, left(), stop);
    } catch (error) {
      // There is no time left to ask again.
      if (!(error instanceof BusyError) || left() < 2 * PAUSE) throw error;
      const seconds = milliseconds / 1000;
      if (isFirst) {
        writeStderr(`the agent serves another controller: waiting for up to ${seconds} s\n`);
      }
      await pause(PAUSE, stop);
    }
  }
}

async function introduce(
  name: string,
  channel: LineChannel,
  { address, token, milliseconds: returnTime }: Reach,
  helloTime: number,
  stop: AbortSignal,
): Promise<End> {
  const again = (milliseconds: number) => connectControl(address, milliseconds, stop);
  const own = machineFacts("controller");
  try {
    const options = { again, returnTime, helloTime, token };
    return await unlessAborted(End.open(name, channel, own, options), stop);
  } catch (error) {
    channel.close();
    throw error;
  }
}

/** @throws {PeerGoneError} if the agent here does not listen; it may have written why. */
export async function addressOf(
  agent: SupervisedAgent,
  stop: AbortSignal,
): Promise<ControlAddress> {
  const late = AbortSignal.timeout(LOCAL_TIME);
  try {
    return await unlessAborted(agent.listening, AbortSignal.any([stop, late]));
  } catch {
    stop.throwIfAborted();
    const why = late.aborted ? `it does not listen after ${LOCAL_TIME / 1000} s` : "see above";
    throw new PeerGoneError(`Cannot run this machine's side of the cases, ${why}`);
  }
}

/** Passes on what this machine's agent writes, except its own log. */
export function passOn(text: string): void {
  const lines = text.split(/(?<=\n)/).filter((line) => !line.startsWith("agent: "));
  writeStderr(lines.join(""));
}
