/**
 * An end of a run as its controller sees it: an agent that runs sides of cases, several at a time,
 * and that may lose its process in the midst of them and come back.
 *
 * @module
 */
import type { EndFacts } from "../core/event.ts";
import type { SideReport } from "../core/outcome.ts";
import { reasonOf } from "../core/reason.ts";
import { type LineChannel, PeerGoneError, SilentPeerError } from "./channel.ts";
import {
  type Answer,
  decodeAnswer,
  decodeHello,
  encodeHello,
  encodeMessage,
  type Greeting,
  type Order,
  ProtocolError,
  type StartOrder,
} from "./wire.ts";

/** How long an end may take to introduce itself, in milliseconds. */
const HELLO_TIME = 30_000;
/** How long an agent that comes back may take to answer before it is asked anew. */
const ANSWER_TIME = 3000;
/** How long an agent may take to come back; one that is translated twice starts in seconds. */
const RETURN_TIME = 20_000;
/** How long to wait between two attempts to reach it, in milliseconds. */
const PAUSE = 50;

/** Who follows a side of a case on an end. */
export interface SideFollower {
  /** Is given the lines that the side writes to the other, in order. */
  readonly onLine: (text: string) => Promise<void>;
  /** Is told when the connection to the end breaks; a report follows, sooner or later. */
  readonly onLost: () => void;
}

/** How an end is reached again, where it can be. */
export interface EndOptions {
  /** Connects once; missing where an end that is lost stays lost. */
  readonly again?: ((milliseconds: number) => Promise<LineChannel>) | undefined;
  /** How long it may take to introduce itself, in milliseconds. */
  readonly helloTime?: number | undefined;
  /** How long it may take to come back, in milliseconds. */
  readonly returnTime?: number | undefined;
}

/** A side that runs on an end. */
interface Running {
  readonly follower: SideFollower;
  readonly begun: number;
  readonly report: PromiseWithResolvers<SideReport>;
  /** What it was doing when last heard of. */
  step: string;
}

/** One end of a run, as its controller sees it. */
export class End implements Disposable {
  /** What it is called in reports: "host", "guest" or "loopback". */
  readonly name: string;
  /** What it says of itself. */
  readonly facts: EndFacts;
  readonly #own: EndFacts;
  readonly #session: string;
  readonly #options: EndOptions;
  readonly #running = new Map<number, Running>();
  #channel: LineChannel;
  #reading: Promise<void> | undefined;
  #returning: Promise<void> | undefined;
  #closed = false;
  #lost: string | undefined;
  #deaths = 0;

  private constructor(
    name: string,
    own: EndFacts,
    session: string,
    greeting: Greeting,
    channel: LineChannel,
    options: EndOptions,
  ) {
    this.name = name;
    this.facts = { ...greeting.facts, name };
    this.#own = own;
    this.#session = session;
    this.#channel = channel;
    this.#options = options;
  }

  /**
   * Introduces the controller to an agent.
   *
   * @param name what to call this end: "host", "guest" or "loopback".
   * @param own what the controller says of itself.
   */
  static async open(
    name: string,
    channel: LineChannel,
    own: EndFacts,
    options: EndOptions = {},
  ): Promise<End> {
    const session = crypto.randomUUID();
    const greeting = await greet(channel, own, session, options.helloTime ?? HELLO_TIME);
    return new End(name, own, session, greeting, channel, options);
  }

  /** How long it may take to come back where it is lost, in milliseconds. */
  get returnTime(): number {
    return this.#options.again === undefined ? 0 : this.#options.returnTime ?? RETURN_TIME;
  }

  /** Why this end can be told nothing any more; undefined while it can. */
  get lost(): string | undefined {
    return this.#lost;
  }

  /** How often the connection to it broke. */
  get deaths(): number {
    return this.#deaths;
  }

  /**
   * Runs a side of a case on this end.
   *
   * @returns its report; one that says so where the end was lost, whether or not it came back.
   */
  async run(order: StartOrder, follower: SideFollower): Promise<SideReport> {
    const side: Running = {
      follower,
      begun: performance.now(),
      report: Promise.withResolvers(),
      step: "",
    };
    await this.#returning;
    this.#running.set(order.run, side);
    if (this.#lost !== undefined) this.#breakOff("it was lost before");
    else {
      this.#reading ??= this.#read();
      await this.order(order);
    }
    return await side.report.promise;
  }

  /** Tells the agent something of a case; one that has lost its connection is told nothing. */
  async order(order: Order): Promise<void> {
    try {
      await this.#channel.writeLine(encodeMessage(order));
    } catch (error) {
      // Whoever reads finds out as well, and does what is to be done.
      if (!(error instanceof PeerGoneError)) throw error;
    }
  }

  /** Gives up this end, whose sides did not report in time. */
  abandon(why: string): void {
    this.#giveUp(why);
    this.close();
  }

  /** Ends the connection. */
  close(): void {
    this.#closed = true;
    this.#channel.close();
  }

  /** As {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #read(): Promise<void> {
    while (this.#lost === undefined) {
      try {
        await this.#take(decodeAnswer(await this.#channel.readLine()));
      } catch (error) {
        await (this.#returning = this.#comeBack(error));
        this.#returning = undefined;
      }
    }
  }

  async #take(answer: Answer): Promise<void> {
    const side = this.#running.get(answer.run);
    if (side === undefined) return;
    switch (answer.type) {
      case "line":
        return await side.follower.onLine(answer.text);
      case "step":
        side.step = answer.text;
        return;
      case "done":
        this.#running.delete(answer.run);
        side.report.resolve(answer.report);
    }
  }

  /** Connects anew. The agent then reports what its process did not live to report. */
  async #comeBack(error: unknown): Promise<void> {
    const why = reasonOf(error);
    this.#deaths++;
    this.#channel.close();
    for (const { follower } of this.#running.values()) follower.onLost();
    const { again } = this.#options;
    const broken = again === undefined || !(error instanceof PeerGoneError);
    for (const deadline = performance.now() + this.returnTime; !broken && !this.#closed;) {
      const left = deadline - performance.now();
      if (left <= 0) break;
      try {
        this.#channel = await again(Math.min(left, ANSWER_TIME));
        const { resumed } = await greet(this.#channel, this.#own, this.#session, ANSWER_TIME);
        this.#breakOff(`${why}; it came back and knows nothing of this case`, resumed);
        return;
      } catch (error) {
        this.#channel.close();
        if (!isPassing(error)) break;
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
    this.#giveUp(why);
  }

  #giveUp(why: string): void {
    this.#lost ??= `the ${this.name} is lost: ${why}`;
    this.#breakOff(why);
  }

  /** Reports for the sides here that nothing more will be heard of them, but for some. */
  #breakOff(why: string, but: readonly number[] = []): void {
    for (const [run, { report, step, begun }] of this.#running) {
      if (but.includes(run)) continue;
      const milliseconds = Math.round(performance.now() - begun);
      const reasons = [`its agent is lost: ${why}`];
      report.resolve({ state: "broken", reasons, step, milliseconds, died: true });
      this.#running.delete(run);
    }
  }
}

async function greet(
  channel: LineChannel,
  own: EndFacts,
  session: string,
  milliseconds: number,
): Promise<Greeting> {
  await channel.writeLine(encodeHello(own, { session }));
  return decodeHello(await channel.readLine(milliseconds));
}

/** Whether an agent that is being started again may soon answer otherwise. */
function isPassing(error: unknown): boolean {
  return [PeerGoneError, SilentPeerError, ProtocolError].some((kind) => error instanceof kind);
}
