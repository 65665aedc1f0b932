/**
 * The agent's session with a controller: runs its side of the cases that the controller names, and
 * reports how they ended. It runs cases of its own catalogue, and nothing else.
 *
 * @module
 */
import type { EndFacts } from "../core/event.ts";
import type { SideReport } from "../core/outcome.ts";
import { KEEP_ALIVE, type KeepAlive, type LineChannel, PeerGoneError } from "../control/channel.ts";
import { type CaseLines, LineQueue } from "../control/lines.ts";
import { isSameToken } from "../control/token.ts";
import {
  BusyError,
  decodeHello,
  encodeHello,
  encodeRefusal,
  type Greeting,
  type PortRange,
  RefusedError,
} from "../control/greeting.ts";
import {
  type Answer,
  decodeOrder,
  encodeMessage,
  type Order,
  PORT_STRIDE,
  ProtocolError,
  type SideStart,
  type StartOrder,
} from "../control/wire.ts";

/** An order to run a side of a case. */
export interface SideOrder extends SideStart {
  /** The lines to and from the other side. */
  readonly lines: CaseLines;
  /** Ends the side early: the other side has already decided the verdict. */
  readonly stop: AbortSignal;
  /** To be called before each step. */
  readonly onStep: (step: string) => void;
}

/** Runs one side of one case; never rejects. */
export type SideRunner = (order: SideOrder) => Promise<SideReport>;

/** The report on a side whose process died. */
export interface RecoveredReport {
  /** The number of the side's run. */
  readonly run: number;
  /** The report, as far as it could be recovered. */
  readonly report: SideReport;
}

/** What an agent offers. */
export interface AgentServices {
  /** The facts about this end. */
  readonly facts: EndFacts;
  /** Runs sides of its catalogue's cases. */
  readonly runSide: SideRunner;
  /**
   * Begins or continues a controller's run; returns the reports recovered from a previous process.
   */
  readonly begin?: (session: string) => readonly RecoveredReport[] | undefined;
  /** How long the other end may take to introduce itself, in milliseconds. */
  readonly helloTime?: number;
  /** The token that a controller must present; none if undefined. */
  readonly token?: string | undefined;
  /** The AF_VSOCK ports that its cases may use; any if undefined. */
  readonly ports?: PortRange | undefined;
  /**
   * Admits a controller that has presented the token.
   *
   * @throws {RefusedError | BusyError} to turn it away.
   */
  readonly admit?: (greeting: Greeting) => Promise<void>;
  /** How it detects that a controller is gone. */
  readonly keepAlive?: KeepAlive;
}

/** The maximum number of sides that run at the same time. */
export const MAX_SIDES = 16;
/** How long the other end may take to introduce itself, in milliseconds. */
const HELLO_TIME = 10_000;
/** The maximum length of a step, in characters. */
const MAX_STEP = 400;
/** A step that takes longer than this is reported to the controller, in milliseconds. */
const STEP_TIME = 500;

interface RunningSide {
  readonly lines: LineQueue;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/**
 * Serves one controller until it goes away.
 *
 * @throws {RefusedError | BusyError} if it was turned away.
 * @throws {SilentPeerError} if it does not introduce itself, or falls silent.
 * @throws {ProtocolError} if it violates the protocol. In all cases running sides are stopped.
 */
export async function serveController(
  channel: LineChannel,
  services: AgentServices,
): Promise<void> {
  const running = new Map<number, RunningSide>();
  try {
    await greetController(channel, services);
    channel.keepAlive(services.keepAlive ?? KEEP_ALIVE);
    for (let newest = -1;;) {
      const order = decodeOrder(await channel.readLine());
      const side = running.get(order.run);
      if (order.type === "start") {
        requireRoom(order, newest, running.size, services.ports);
        newest = order.run;
        const ended = () => running.delete(order.run);
        running.set(order.run, start(channel, order, services.runSide, ended));
      } else if (order.type === "line") side?.lines.push(order.text);
      else side?.stop.abort(new Error(order.why));
    }
  } catch (error) {
    if (!(error instanceof PeerGoneError)) throw error;
  } finally {
    // A case must not wait to send something to a controller that has stopped reading.
    channel.close();
    const sides = [...running.values()];
    for (const { stop } of sides) stop.abort(new PeerGoneError("the controller disconnected"));
    await Promise.all(sides.map(({ done }) => done));
  }
}

/**
 * Admits a controller, introduces itself, and sends the reports recovered from a previous process.
 */
async function greetController(
  channel: LineChannel,
  { facts, begin, helloTime = HELLO_TIME, token, ports, admit }: AgentServices,
): Promise<void> {
  let greeting: Greeting;
  try {
    greeting = decodeHello(await channel.readLine(helloTime));
    if (token !== undefined) requireToken(token, greeting.token);
    await admit?.(greeting);
  } catch (error) {
    if (error instanceof RefusedError || error instanceof BusyError) {
      await channel.writeLine(encodeRefusal(error));
    }
    throw error;
  }
  const { session } = greeting;
  const left = session === undefined ? undefined : begin?.(session);
  const more = {
    ...(ports === undefined ? {} : { ports }),
    ...(left === undefined ? {} : { resumed: left.map(({ run }) => run) }),
  };
  await channel.writeLine(encodeHello(facts, more));
  for (const { run, report } of left ?? []) {
    await channel.writeLine(encodeMessage({ type: "done", run, report }));
  }
}

/** @throws {RefusedError} if a controller does not know the token. */
function requireToken(token: string, given: string | undefined): void {
  if (given === undefined) {
    throw new RefusedError(
      "this agent requires a token: give --token-file, --token or VSOCK_CONFORMANCE_TOKEN",
    );
  }
  if (!isSameToken(token, given)) throw new RefusedError("the token is not this agent's");
}

/** @throws {ProtocolError} if a side cannot be started. */
function requireRoom(
  { run, port }: StartOrder,
  newest: number,
  running: number,
  [first, last]: PortRange = [0, Infinity],
): void {
  if (run <= newest) throw new ProtocolError(`the controller started run ${run} twice`);
  if (running >= MAX_SIDES) {
    throw new ProtocolError(`the controller started more than ${MAX_SIDES} cases in parallel`);
  }
  const end = port + PORT_STRIDE - 1;
  if (port >= first && end <= last) return;
  throw new ProtocolError(
    `the controller asks for the ports ${port} to ${end}; this agent's are ${first} to ${last}, ` +
      "see --ports",
  );
}

function start(
  channel: LineChannel,
  order: Order & { type: "start" },
  runSide: SideRunner,
  ended: () => void,
): RunningSide {
  const { run } = order;
  const lines = new LineQueue();
  const stop = new AbortController();
  const send = (answer: Answer) => channel.writeLine(encodeMessage(answer));
  const steps = new StepReporter((text) => send({ type: "step", run, text }));
  const side: SideOrder = {
    ...order,
    lines: { write: (text) => send({ type: "line", run, text }), read: (s) => lines.read(s) },
    stop: stop.signal,
    onStep: steps.onStep,
  };
  const done = runSide(side)
    .finally(() => {
      steps.end();
      ended();
    })
    .then((report) => send({ type: "done", run, report }))
    // The connection is gone, so there is nobody to report to.
    .catch(() => {});
  return { lines, stop, done };
}

/** Reports a side's steps, but only those that take long: most take no time. */
class StepReporter {
  readonly #timer: ReturnType<typeof setInterval>;
  #step = "";
  #sent = "";

  constructor(send: (step: string) => Promise<void>) {
    let before = "";
    this.#timer = setInterval(() => {
      if (this.#step === before && this.#step !== this.#sent) {
        this.#sent = this.#step;
        send(this.#sent.slice(0, MAX_STEP)).catch(() => {});
      }
      before = this.#step;
    }, STEP_TIME);
  }

  /** Called before each step. */
  readonly onStep = (step: string): void => {
    this.#step = step;
  };

  end(): void {
    clearInterval(this.#timer);
  }
}
