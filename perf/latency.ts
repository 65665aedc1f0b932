/**
 * Round trips: a request of some bytes, and the same bytes back.
 *
 * @module
 */
import { MSG_DONTWAIT, POLLIN } from "../sys/constants.ts";
import { MonotonicClock } from "../sys/libc_fast.ts";
import type { Socket } from "../sys/socket.ts";
import { type Bytes, bytes } from "../sys/structs.ts";
import { FastSocket, IdlePeerError, PeerError, PollSet } from "./fast_socket.ts";
import { encodeGreeting, GREETING_SIZE } from "./greeting.ts";
import { Histogram } from "./histogram.ts";
import { connectTo, type Endpoint } from "./endpoint.ts";

/** What `perf latency` can be told. */
export interface LatencyOptions extends Endpoint {
  /** The size of a request, in bytes. */
  readonly size: number;
  /** How many requests are measured. */
  readonly requests: number;
  /** How many come before them and are not. */
  readonly warmup: number;
  readonly connections: number;
  /**
   * Requests a second over all connections, whether or not answers come: each is due at a time of
   * its own and its time counts from then, also where it could only be sent later because no
   * connection was free. Without a rate each connection has its next request once it has its answer.
   */
  readonly rate?: number | undefined;
  /** How long the peer may do nothing, in milliseconds. */
  readonly timeout: number;
}

/** What was measured. */
export interface LatencyFigures {
  /** Nanoseconds of each round trip. */
  readonly times: Histogram;
  /** Seconds that all of them took together. */
  readonly seconds: number;
}

/** Measures round trips to the server on a machine. */
export async function runLatency(cid: number, options: LatencyOptions): Promise<LatencyFigures> {
  using sockets = new DisposableStack();
  const greeting = encodeGreeting(options);
  const connections: Socket[] = [];
  for (let i = 0; i < options.connections; i++) {
    const socket = sockets.use(await connectTo(options, cid, options.timeout));
    connections.push(socket);
    new FastSocket(socket, options.timeout).sendAll(
      greeting,
      GREETING_SIZE,
      BigInt(GREETING_SIZE),
    );
  }
  const [only] = connections;
  const simple = connections.length === 1 && options.rate === undefined;
  if (simple && only !== undefined) return inTurn(only, options);
  return new ManyRequests(connections, options).run();
}

/** One request after the other on one connection: nothing but the two calls. */
function inTurn(socket: Socket, options: LatencyOptions): LatencyFigures {
  const { size, requests, warmup, timeout } = options;
  const fast = new FastSocket(socket, timeout);
  const clock = new MonotonicClock();
  const buffer = bytes(size);
  const length = BigInt(size);
  // The same loop twice, so that what is measured is the code that has become warm.
  const round = (count: number): LatencyFigures => {
    const times = new Histogram();
    const began = clock.now();
    for (let i = 0; i < count; i++) {
      const sent = clock.now();
      fast.sendAll(buffer, size, length);
      if (!fast.recvAll(buffer, size, length)) throw new PeerError("the peer ended");
      times.record(clock.now() - sent);
    }
    return { times, seconds: (clock.now() - began) / 1e9 };
  };
  round(warmup);
  return round(requests);
}

/** Below this many nanoseconds poll(2), whose time is in milliseconds, does not wait. */
const SPIN = 2e6;

/** Requests on several connections, or at a rate: at most one under way on each connection. */
class ManyRequests {
  readonly #options: LatencyOptions;
  readonly #sockets: readonly FastSocket[];
  readonly #set: PollSet;
  readonly #clock = new MonotonicClock();
  readonly #buffer: Bytes;
  readonly #length: bigint;
  /** When the request under way on a connection was due. */
  readonly #due: Float64Array;
  /** How many bytes of its answer are missing; 0 where none is under way. */
  readonly #missing: Float64Array;
  #times = new Histogram();
  #nextDue = 0;
  /** When a request was last sent, or something received. */
  #active = 0;
  #started = 0;
  #answered = 0;

  constructor(sockets: readonly Socket[], options: LatencyOptions) {
    this.#options = options;
    this.#sockets = sockets.map((socket) => new FastSocket(socket, options.timeout));
    this.#set = new PollSet(sockets.map(({ fd }) => fd));
    sockets.forEach((_, i) => this.#set.want(i, POLLIN));
    this.#buffer = bytes(options.size);
    this.#length = BigInt(options.size);
    this.#due = new Float64Array(sockets.length);
    this.#missing = new Float64Array(sockets.length);
  }

  run(): LatencyFigures {
    this.#round(this.#options.warmup);
    this.#times = new Histogram();
    const seconds = this.#round(this.#options.requests);
    return { times: this.#times, seconds };
  }

  #round(count: number): number {
    const began = this.#nextDue = this.#clock.now();
    this.#started = this.#answered = 0;
    while (this.#answered < count) {
      this.#startDue(count);
      const ready = this.#set.wait(this.#patience(count));
      if (ready > 0) this.#takeAnswers();
      else this.#requirePeer();
    }
    return (this.#clock.now() - began) / 1e9;
  }

  /** Starts what is due and has a connection. */
  #startDue(count: number): void {
    const { rate, size } = this.#options;
    for (let i = 0; i < this.#sockets.length && this.#started < count; i++) {
      if (this.#missing[i] !== 0) continue;
      const now = this.#clock.now();
      if (rate !== undefined && this.#nextDue > now) return;
      this.#due[i] = rate === undefined ? now : this.#nextDue;
      if (rate !== undefined) this.#nextDue += 1e9 / rate;
      this.#missing[i] = size;
      this.#started++;
      this.#active = now;
      this.#sockets[i]?.sendAll(this.#buffer, size, this.#length);
    }
  }

  /** How long to wait for answers, in milliseconds. */
  #patience(count: number): number {
    const { rate, timeout } = this.#options;
    const free = this.#started - this.#answered < this.#sockets.length;
    if (rate === undefined || !free || this.#started === count) return timeout;
    const left = this.#nextDue - this.#clock.now();
    return left > SPIN ? Math.floor((left - SPIN / 2) / 1e6) : 0;
  }

  /** @throws {IdlePeerError} where an answer is missing and nothing has happened for too long. */
  #requirePeer(): void {
    const { timeout } = this.#options;
    if (this.#started === this.#answered) return;
    if (this.#clock.now() - this.#active > timeout * 1e6) {
      throw new IdlePeerError("poll()", timeout);
    }
  }

  #takeAnswers(): void {
    this.#active = this.#clock.now();
    for (const [i, socket] of this.#sockets.entries()) {
      if (this.#set.revents(i) === 0) continue;
      const received = socket.recv(this.#buffer, this.#length, MSG_DONTWAIT);
      if (received === 0) throw new PeerError("the peer ended");
      if (received < 0) continue;
      const missing = (this.#missing[i] ?? 0) - received;
      if (missing < 0) throw new PeerError("the peer answered more than it was asked");
      this.#missing[i] = missing;
      if (missing > 0) continue;
      this.#times.record(this.#clock.now() - (this.#due[i] ?? 0));
      this.#answered++;
    }
  }
}
