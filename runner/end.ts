/**
 * An end of a run as its controller sees it: an agent that runs sides of cases, several at a time,
 * and whose process may die during them and be replaced.
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
/** How long a restarted agent may take to respond before the next attempt, in milliseconds. */
const ANSWER_TIME = 3000;
/** How long an agent may take to restart; in a nested emulated guest that takes seconds. */
const RETURN_TIME = 20_000;
/** How many bytes sent to an agent may be unread. */
const MAX_UNSENT = 4 * 1024 * 1024;
/** The number of silent intervals after which a connection is checked before it is used. */
const QUIET = 3;
/** How long that check may take, in milliseconds. */
const LOOK_TIME = 100;
/** How long to wait between two attempts to reach it, in milliseconds. */
const PAUSE = 50;

/** Callbacks of a side of a case on an end. */
export interface SideFollower {
  /** Receives the lines that the side writes to the other one, in order. */
  readonly onLine: (text: string) => void;
  /** Called when the connection to the end breaks; a report always follows. */
  readonly onLost: () => void;
}

/** How to connect to an end, and to reconnect if possible. */
export interface EndOptions {
  /** The token that its agent requires, if any. */
  readonly token?: string | undefined;
  /** Connects once; undefined if a lost end cannot be reached again. */
  readonly again?: ((milliseconds: number) => Promise<LineChannel>) | undefined;
  /** How long it may take to introduce itself, in milliseconds. */
  readonly helloTime?: number | undefined;
  /** How long it may take to be reachable again, in milliseconds. */
  readonly returnTime?: number | undefined;
  /** How to detect that its agent is gone. */
  readonly keepAlive?: KeepAlive | undefined;
}

/** A side that is running on an end. */
interface Running {
  readonly follower: SideFollower;
  readonly begun: number;
  readonly report: PromiseWithResolvers<SideReport>;
  /** The last step that it reported. */
  step: string;
}

/** An end of a run, as its controller sees it. */
export class End implements Disposable {
  /** Its name in reports: "host", "guest" or "loopback". */
  readonly name: string;
  /** The facts that it has reported about itself. */
  readonly facts: EndFacts;
  /** The AF_VSOCK ports that its agent allows; undefined if it allows any. */
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
   * @param name the name of this end: "host", "guest" or "loopback".
   * @param own the facts about the controller.
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

  /** How long it may take to be reachable again after it was lost, in milliseconds. */
  get returnTime(): number {
    return this.#options.again === undefined ? 0 : this.#options.returnTime ?? RETURN_TIME;
  }

  /** Why this end can no longer be reached; undefined if it can. */
  get lost(): string | undefined {
    return this.#lost;
  }

  /** How often the connection to it has broken. */
  get deaths(): number {
    return this.#deaths;
  }

  /**
   * Runs a side of a case on this end.
   *
   * @returns its report; if the end was lost, one that says so, even if the end is back.
   */
  async run(order: StartOrder, follower: SideFollower): Promise<SideReport> {
    const side: Running = {
      follower,
      begun: performance.now(),
      report: Promise.withResolvers(),
      step: "",
    };
    // If this process was delayed, it may not have noticed yet that the agent has disconnected.
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
   * Sends a message about a case to the agent, unless the connection is lost. It does not wait
   * until the message is sent: an agent that does not read must not block the other one.
   */
  order(order: Order): void {
    if (this.#channel.unsent > MAX_UNSENT) {
      this.#channel.close(new PeerGoneError("it does not read what it is sent"));
    }
    // The reader notices that as well, and handles it.
    this.#channel.writeLine(encodeMessage(order)).catch(() => {});
  }

  /** Abandons this end, because its sides did not report in time. */
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

  /** Reconnects; the agent then sends the reports that its previous process could not send. */
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
        this.#breakOff(`${why}; it is back, but knows nothing about this case`, resumed);
        return;
      } catch (error) {
        this.#channel.close();
        if (!isPassing(error)) break;
        await pause(PAUSE);
      }
    }
    this.#giveUp(why);
  }

  /** An agent may be silent while it runs cases, which may block its thread but have deadlines. */
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

  /** Makes reports for the sides that are lost, which are all but some. */
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

/** Whether an error may go away soon, because the agent is being restarted. */
function isPassing(error: unknown): boolean {
  if (error instanceof RefusedError) return false;
  return [PeerGoneError, SilentPeerError, ProtocolError].some((kind) => error instanceof kind);
}
