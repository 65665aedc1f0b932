/**
 * The agent: the end that waits, runs its side of the cases that the controller names, and
 * reports how they ended. It runs cases of its own catalogue and does nothing else it is told.
 *
 * @module
 */
import type { Role } from "../core/case.ts";
import type { EndFacts } from "../core/event.ts";
import type { SideReport } from "../core/outcome.ts";
import type { LineChannel } from "./channel.ts";
import { PeerGoneError } from "./channel.ts";
import { type CaseLines, LineQueue } from "./lines.ts";
import {
  type Answer,
  decodeHello,
  decodeOrder,
  encodeHello,
  encodeMessage,
  type Order,
  ProtocolError,
} from "./wire.ts";

/** What a side of a case is run with, of what travels over the control channel. */
export interface SideOrder {
  /** The case's id. */
  readonly id: string;
  /** The role that this side plays. */
  readonly role: Role;
  /** The server's AF_VSOCK port; the next one is the case's as well. */
  readonly port: number;
  /** The seed of the case's randomness. */
  readonly seed: number;
  /** The case's deadline, in milliseconds. */
  readonly timeout: number;
  /** The lines to and from the other side. */
  readonly lines: CaseLines;
  /** Ends the side early: the other side has already decided the verdict. */
  readonly stop: AbortSignal;
}

/** Runs one side of one case; never rejects. */
export type SideRunner = (order: SideOrder) => Promise<SideReport>;

/** How long the other end may take to introduce itself, in milliseconds. */
const HELLO_TIME = 10_000;

interface RunningCase {
  readonly run: number;
  readonly lines: LineQueue;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/**
 * Serves one controller until it goes away.
 *
 * @throws {ProtocolError} where it talks nonsense; a case under way is stopped.
 */
export async function serveController(
  channel: LineChannel,
  facts: EndFacts,
  runSide: SideRunner,
): Promise<void> {
  let running: RunningCase | undefined;
  try {
    decodeHello(await channel.readLine(HELLO_TIME));
    await channel.writeLine(encodeHello(facts));
    for (;;) {
      const order = decodeOrder(await channel.readLine());
      if (order.type === "start") {
        if (running !== undefined && order.run <= running.run) {
          throw new ProtocolError(`the controller started run ${order.run} twice`);
        }
        await running?.done;
        running = start(channel, order, runSide);
      } else if (running?.run === order.run) {
        if (order.type === "line") running.lines.push(order.text);
        else running.stop.abort(new Error(order.why));
      }
    }
  } catch (error) {
    if (!(error instanceof PeerGoneError)) throw error;
  } finally {
    running?.stop.abort(new PeerGoneError("the controller went away"));
    // A controller that reads no more must not keep a case waiting to tell it something.
    channel.close();
    await running?.done;
  }
}

function start(
  channel: LineChannel,
  order: Order & { type: "start" },
  runSide: SideRunner,
): RunningCase {
  const { run } = order;
  const lines = new LineQueue();
  const stop = new AbortController();
  const send = (answer: Answer) => channel.writeLine(encodeMessage(answer));
  const side: SideOrder = {
    ...order,
    lines: { write: (text) => send({ type: "line", run, text }), read: (s) => lines.read(s) },
    stop: stop.signal,
  };
  const done = runSide(side)
    .then((report) => send({ type: "done", run, report }))
    // Nobody is left to be told.
    .catch(() => {});
  return { run, lines, stop, done };
}
