/**
 * Accepts connections to an agent, and admits one controller at a time.
 *
 * @module
 */
import { reasonOf } from "../core/error.ts";
import { type AgentServices, serveController } from "./session.ts";
import { LineChannel, PeerGoneError, showAddress } from "../control/channel.ts";
import { BusyError, type Greeting } from "../control/greeting.ts";
import { writeStderr } from "../report/screen.ts";

/** How long a new controller waits for the previous one to leave, in milliseconds. */
const LEAVE_TIME = 300;
/** The maximum number of connections that have not introduced themselves; the oldest are closed. */
const MAX_STRANGERS = 16;

/** The controller that is being served. */
interface Served {
  readonly channel: LineChannel;
  readonly session: string | undefined;
  /** Resolves when it has left. */
  readonly left: PromiseWithResolvers<void>;
}

/** Admits controllers, one at a time. */
export class Waiter {
  readonly #services: Omit<AgentServices, "admit">;
  readonly #onChange: (when: string) => void;
  readonly #stop: AbortSignal;
  /** Connections that have not been admitted, the oldest first. */
  readonly #strangers = new Set<LineChannel>();
  #served: Served | undefined;

  /** @param onChange called with a description when a controller comes and when it has left. */
  constructor(
    services: Omit<AgentServices, "admit">,
    onChange: (when: string) => void,
    stop: AbortSignal,
  ) {
    this.#services = services;
    this.#onChange = onChange;
    this.#stop = stop;
  }

  /** Serves all controllers; with `once` only the first one that is admitted. */
  async serveAll(listener: Deno.TcpListener, once: boolean): Promise<void> {
    let isOver = false;
    const serve = async (connection: Deno.TcpConn) => {
      if (!await this.#serve(connection) || !once) return;
      isOver = true;
      listener.close();
    };
    for (;;) {
      try {
        serve(await listener.accept());
      } catch (error) {
        if (isOver) return;
        throw error;
      }
    }
  }

  /** Serves a connection; returns whether it was a controller that was admitted. */
  async #serve(connection: Deno.TcpConn): Promise<boolean> {
    const { hostname, port } = connection.remoteAddr;
    const from = showAddress({ host: hostname, port });
    log(`${from} connected`);
    using channel = new LineChannel(connection);
    this.#meet(channel);
    const onStop = () => channel.close();
    this.#stop.addEventListener("abort", onStop, { once: true });
    try {
      connection.setNoDelay(true);
      const admit = (greeting: Greeting) => this.#admit(channel, greeting);
      await serveController(channel, { ...this.#services, admit });
      log(`${from} left`);
    } catch (error) {
      log(`${from}: ${reasonOf(error)}`);
    } finally {
      this.#stop.removeEventListener("abort", onStop);
    }
    return this.#leave(channel);
  }

  #meet(channel: LineChannel): void {
    this.#strangers.add(channel);
    const [oldest] = this.#strangers;
    if (this.#strangers.size <= MAX_STRANGERS || oldest === undefined) return;
    this.#strangers.delete(oldest);
    oldest.close(
      new PeerGoneError("it did not introduce itself, and other connections are waiting"),
    );
  }

  /**
   * Admits a controller, unless another one is being served. A controller may arrive shortly before
   * the previous one is noticed to have left. One that reconnects replaces its lost connection.
   *
   * @throws {BusyError}
   */
  async #admit(channel: LineChannel, { session }: Greeting): Promise<void> {
    const before = this.#served;
    if (session !== undefined && session === before?.session) {
      before.channel.close(new PeerGoneError("the controller has reconnected"));
    }
    if (before !== undefined) {
      const { promise: moment, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, LEAVE_TIME);
      await Promise.race([before.left.promise, moment]);
      clearTimeout(timer);
    }
    if (this.#served !== undefined) throw new BusyError("another controller is using this agent");
    this.#strangers.delete(channel);
    this.#served = { channel, session, left: Promise.withResolvers() };
    this.#onChange("before this controller came");
  }

  /** Ends the service of a connection; returns whether it had been admitted. */
  #leave(channel: LineChannel): boolean {
    this.#strangers.delete(channel);
    const served = this.#served;
    if (served?.channel !== channel) return false;
    this.#served = undefined;
    served.left.resolve();
    this.#onChange("after the last case");
    return true;
  }
}

/** Writes a line to standard error. */
export function log(text: string): void {
  writeStderr(`agent: ${text}\n`);
}
