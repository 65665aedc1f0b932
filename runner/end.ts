/**
 * An end of a run as its controller sees it: an agent that runs sides of cases, several at a time,
 * and that may lose its process in the midst of them and come back.
 *
 * @module
 */
import { pause } from "../core/wait.ts";
import type { EndFacts } from "../core/event.ts";
import type { SideReport } from "../core/outcome.ts";
import { reasonOf } from "../core/error.ts";
import {
  KEEP_ALIVE,
  type KeepAlive,
  type LineChannel,
  PeerGoneError,
  SilentPeerError,
} from "../control/channel.ts";
import { type Greeting, type PortRange, RefusedError } from "../control/greeting.ts";
import { greet, type Introduction } from "./introduction.ts";
import {
  type Answer,
  decodeAnswer,
  encodeMessage,
  type Order,
  ProtocolError,
  type StartOrder,
} from "../control/wire.ts";

/** How long an end may take to introduce itself, in milliseconds. */
const HELLO_TIME = 30_000;
/** How long an agent that comes back may take to answer before it is asked again. */
const ANSWER_TIME = 3000;
/** How long an agent may take to come back; one that is emulated twice starts in seconds. */
const RETURN_TIME = 20_000;
/** How much of what was sent to an agent may be unread, in bytes. */
const MAX_UNSENT = 4 * 1024 * 1024;
/** After how many silent intervals a connection is checked before it is used. */
const QUIET = 3;
/** How long for, in milliseconds. */
const LOOK_TIME = 100;
/** How long to wait between two attempts to reach it, in milliseconds. */
const PAUSE = 50;

/** Who follows a side of a case on an end. */
export interface SideFollower {
  /** Is given the lines that the side writes to the other, in order. */
  readonly onLine: (text: string) => void;
  /** Called when the connection to the end breaks; a report follows, sooner or later. */
  readonly onLost: () => void;
}

/** How an end is reached, and again, where it can be. */
export interface EndOptions {
  /** What its agent asks for, if it does. */
  readonly token?: string | undefined;
  /** Connects once; missing where an end that is lost stays lost. */
  readonly again?: ((milliseconds: number) => Promise<LineChannel>) | undefined;
  /** How long it may take to introduce itself, in milliseconds. */
  readonly helloTime?: number | undefined;
  /** How long it may take to come back, in milliseconds. */
  readonly returnTime?: number | undefined;
  /** How it finds out that its agent is gone. */
  readonly keepAlive?: KeepAlive | undefined;
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
  /** The AF_VSOCK ports that its agent lets cases use; undefined where that is any. */
  readonly ports: PortRange | undefined;
  readonly #introduce: Introduction;
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
    introduce: Introduction,
    { facts, ports }: Greeting,
    channel: LineChannel,
    options: EndOptions,
  ) {
    this.name = name;
    this.facts = { ...facts, name };
    this.ports = ports;
    this.#introduce = introduce;
    this.#channel = channel;
    this.#options = options;
    this.#keepAlive();
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
    const { token, helloTime = HELLO_TIME } = options;
    const more = { session: crypto.randomUUID(), ...(token === undefined ? {} : { token }) };
    const introduce: Introduction = (channel, time) => greet(channel, own, more, time);
    return new End(name, introduce, await introduce(channel, helloTime), channel, options);
  }

  /** How long it may take to come back where it is lost, in milliseconds. */
  get returnTime(): number {
    return this.#options.again === undefined ? 0 : this.#options.returnTime ?? RETURN_TIME;
  }

  /** Why this end can no longer be reached; undefined while it can. */
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
    // If this process was held up, it may not have seen yet that the agent has disconnected.
    const { interval } = this.#times;
    if (this.#reading !== undefined && this.#channel.quietTime > QUIET * interval) {
      await pause(LOOK_TIME);
    }
    await this.#returning;
    this.#running.set(order.run, side);
    if (this.#lost !== undefined) this.#breakOff("it was lost before");
    else {
      this.#reading ??= this.#read();
      this.order(order);
    }
    return await side.report.promise;
  }

  /**
   * Sends the agent something about a case, unless its connection is lost. Nobody waits until it has
   * been sent: an agent that does not read must not hold up the other one.
   */
  order(order: Order): void {
    if (this.#channel.unsent > MAX_UNSENT) {
      this.#channel.close(new PeerGoneError("it does not read what it is sent"));
    }
    // The reader notices as well, and handles it.
    this.#channel.writeLine(encodeMessage(order)).catch(() => {});
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
        this.#take(decodeAnswer(await this.#channel.readLine()));
      } catch (error) {
        await (this.#returning = this.#comeBack(error));
        this.#returning = undefined;
      }
    }
  }

  #take(answer: Answer): void {
    const side = this.#running.get(answer.run);
    if (side === undefined) return;
    switch (answer.type) {
      case "line":
        side.follower.onLine(answer.text);
        return;
      case "step":
        side.step = answer.text;
        return;
      case "done":
        this.#running.delete(answer.run);
        side.report.resolve(answer.report);
    }
  }

  /** Reconnects. The agent then reports what its previous process did not live to report. */
  async #comeBack(error: unknown): Promise<void> {
    const why = reasonOf(error);
    this.#deaths++;
    this.#channel.close();
    for (const { follower } of this.#running.values()) follower.onLost();
    const { again } = this.#options;
    const isGone = error instanceof PeerGoneError || error instanceof SilentPeerError;
    const broken = again === undefined || !isGone;
    for (const deadline = performance.now() + this.returnTime; !broken && !this.#closed;) {
      const left = deadline - performance.now();
      if (left <= 0) break;
      try {
        this.#channel = await again(Math.min(left, ANSWER_TIME));
        const { resumed } = await this.#introduce(this.#channel, ANSWER_TIME);
        this.#keepAlive();
        this.#breakOff(`${why}; it came back and knows nothing of this case`, resumed);
        return;
      } catch (error) {
        this.#channel.close();
        if (!isPassing(error)) break;
        await pause(PAUSE);
      }
    }
    this.#giveUp(why);
  }

  /** An agent may be silent while it runs cases, which may hold its thread: they have deadlines. */
  #keepAlive(): void {
    const isPatient = () => this.#running.size > 0;
    this.#channel.keepAlive({ ...this.#times, isPatient });
  }

  get #times(): KeepAlive {
    return this.#options.keepAlive ?? KEEP_ALIVE;
  }

  #giveUp(why: string): void {
    this.#lost ??= `lost contact with the ${this.name} agent: ${why}`;
    this.#breakOff(why);
  }

  /** Reports for the sides here that nothing more will be heard of them, but for some. */
  #breakOff(why: string, but: readonly number[] = []): void {
    for (const [run, { report, step, begun }] of this.#running) {
      if (but.includes(run)) continue;
      const milliseconds = Math.round(performance.now() - begun);
      const reasons = [`lost contact with its agent: ${why}`];
      report.resolve({ state: "broken", reasons, step, milliseconds, died: true });
      this.#running.delete(run);
    }
  }
}

/** Whether an agent that is being started again may soon answer otherwise. */
function isPassing(error: unknown): boolean {
  if (error instanceof RefusedError) return false;
  return [PeerGoneError, SilentPeerError, ProtocolError].some((kind) => error instanceof kind);
}
