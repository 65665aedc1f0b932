/**
 * The agent: the end that waits, runs its sides of the cases that the controller names, and reports
 * how they ended. It runs cases of its own catalogue, and nothing else.
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

/** What a side of a case is run with. */
export interface SideOrder extends SideStart {
  /** The lines to and from the other side. */
  readonly lines: CaseLines;
  /** Ends the side early: the other side has already decided the verdict. */
  readonly stop: AbortSignal;
  /** Is to be told of each step before it is taken. */
  readonly onStep: (step: string) => void;
}

/** Runs one side of one case; never rejects. */
export type SideRunner = (order: SideOrder) => Promise<SideReport>;

/** The report on a side whose process died in it. */
export interface RecoveredReport {
  /** Which of the run's sides it is. */
  readonly run: number;
  /** What is known of it. */
  readonly report: SideReport;
}

/** What an agent offers. */
export interface AgentServices {
  /** What it says of itself. */
  readonly facts: EndFacts;
  /** Runs sides of its catalogue's cases. */
  readonly runSide: SideRunner;
  /** Begins a controller's run, or goes on with it: then with what an earlier process left. */
  readonly begin?: (session: string) => readonly RecoveredReport[] | undefined;
  /** How long the other end may take to introduce itself, in milliseconds. */
  readonly helloTime?: number;
  /** What a controller must know to be served; where this is missing, nothing. */
  readonly token?: string | undefined;
  /** The AF_VSOCK ports that its cases may use; where this is missing, any. */
  readonly ports?: PortRange | undefined;
  /**
   * Admits a controller whose token is right.
   *
   * @throws {RefusedError | BusyError} to turn it away.
   */
  readonly admit?: (greeting: Greeting) => Promise<void>;
  /** How it finds out that a controller is gone. */
  readonly keepAlive?: KeepAlive;
}

/** Most sides that run at the same time. */
export const MAX_SIDES = 16;
/** How long the other end may take to introduce itself, in milliseconds. */
const HELLO_TIME = 10_000;
/** Most characters of a step. */
const MAX_STEP = 400;
/** How long a side must be at a step before that is reported to the controller, in milliseconds. */
const STEP_TIME = 500;

interface RunningSide {
  readonly lines: LineQueue;
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/**
 * Serves one controller until it goes away.
 *
 * @throws {RefusedError | BusyError} where it was turned away.
 * @throws {SilentPeerError} where it does not introduce itself, or falls silent.
 * @throws {ProtocolError} where it talks nonsense. Cases under way are stopped in any case.
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
    // A controller that has stopped reading must not keep a case waiting to send it something.
    channel.close();
    const sides = [...running.values()];
    for (const { stop } of sides) stop.abort(new PeerGoneError("the controller disconnected"));
    await Promise.all(sides.map(({ done }) => done));
  }
}

/** Lets a controller in, introduces itself, and reports what an earlier process left. */
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

/** @throws {RefusedError} where a controller does not know the token. */
function requireToken(token: string, given: string | undefined): void {
  if (given === undefined) {
    throw new RefusedError(
      "this agent asks for a token: give --token-file, --token or VSOCK_CONFORMANCE_TOKEN",
    );
  }
  if (!isSameToken(token, given)) throw new RefusedError("the token is not this agent's");
}

/** @throws {ProtocolError} where a side cannot be begun. */
function requireRoom(
  { run, port }: StartOrder,
  newest: number,
  running: number,
  [first, last]: PortRange = [0, Infinity],
): void {
  if (run <= newest) throw new ProtocolError(`the controller started run ${run} twice`);
  if (running >= MAX_SIDES) {
    throw new ProtocolError(`the controller started more than ${MAX_SIDES} cases at once`);
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
    // There is nobody left to report to.
    .catch(() => {});
  return { lines, stop, done };
}

/** Reports what a side is doing where that takes long: most steps take no time. */
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

  /** Takes a step. */
  readonly onStep = (step: string): void => {
    this.#step = step;
  };

  end(): void {
    clearInterval(this.#timer);
  }
}
