/**
 * The two ends of a measurement of throughput, a call at a time.
 *
 * @module
 */
import { MSG_TRUNC, MSG_ZEROCOPY, POLLERR, SO_ZEROCOPY, SOL_SOCKET } from "../sys/constants.ts";
import { MonotonicClock } from "../sys/libc_fast.ts";
import { Mapping } from "../sys/memory.ts";
import type { Socket } from "../sys/socket.ts";
import type { Bytes } from "../sys/structs.ts";
import { Completions } from "./zerocopy_completions.ts";
import { FastSocket, PeerError } from "./fast_socket.ts";
import type { Place } from "./endpoint.ts";

/** What both ends of a measurement of throughput can be told. Sizes are in bytes. */
export interface ThroughputOptions extends Place {
  /** What one call is given: the most that is sent, or received, at once. */
  readonly bufSize: number;
  /** The socket's own buffer. vsock_perf sets that of the receiver only. */
  readonly vskSize: number;
  /** SO_RCVLOWAT of an end that receives. */
  readonly rcvlowat: number;
  /** How much an end that sends is to send. */
  readonly bytes: number;
  /** Send with MSG_ZEROCOPY, and wait for each completion. */
  readonly zerocopy: boolean;
  /** Whether both ends send and receive at once. */
  readonly both: boolean;
  /** How long the peer may do nothing, in milliseconds. */
  readonly timeout: number;
}

/** What an end that sends has measured. */
export interface SentFigures {
  readonly bytes: number;
  /** Calls of send(2). */
  readonly calls: number;
  /** Seconds from the first call to the last. */
  readonly seconds: number;
  /** Seconds within send(2). */
  readonly secondsInSend: number;
  /** Completions of MSG_ZEROCOPY, and those among them for which the kernel copied. */
  readonly completions?: { readonly all: number; readonly copied: number };
}

/** What an end that receives has measured. */
export interface ReceivedFigures {
  readonly bytes: number;
  /** Calls of recv(2); each follows a POLLIN of poll(2). */
  readonly wakeups: number;
  /** Seconds from the connection to its end. */
  readonly seconds: number;
  /** Seconds within recv(2). */
  readonly secondsInRecv: number;
}

/** One end's sending, a call at a time. */
export class Sending implements Disposable {
  readonly #socket: FastSocket;
  readonly #clock = new MonotonicClock();
  readonly #memory: Mapping;
  readonly #completions: Completions | undefined;
  readonly #data: Bytes;
  readonly #size: number;
  readonly #length: bigint;
  readonly #flags: number;
  #rest: number;
  readonly #bytes: number;
  #calls = 0;
  #inSend = 0;
  readonly #began: number;
  #ended: number;

  constructor(socket: Socket, { bytes: total, bufSize, zerocopy, timeout }: ThroughputOptions) {
    this.#socket = new FastSocket(socket, timeout);
    this.#size = bufSize;
    this.#length = BigInt(bufSize);
    this.#bytes = this.#rest = total;
    this.#flags = zerocopy ? MSG_ZEROCOPY : 0;
    if (zerocopy) {
      socket.setInt(SOL_SOCKET, SO_ZEROCOPY, 1);
      this.#completions = new Completions(socket);
    }
    this.#memory = callMemory(bufSize);
    this.#data = this.#memory.bytes();
    this.#ended = this.#began = this.#clock.now();
  }

  /** Whether all is sent. */
  get done(): boolean {
    return this.#rest === 0;
  }

  now(): number {
    return this.#clock.now();
  }

  /**
   * Sends once.
   *
   * @param before the time now: where one call follows the other, that at which the last one ended.
   * @returns the time when it has.
   */
  step(flags: number, before: number): number {
    const length = this.#rest < this.#size ? BigInt(this.#rest) : this.#length;
    const sent = this.#socket.send(this.#data, length, flags | this.#flags);
    const after = this.#clock.now();
    if (sent < 0) return after;
    this.#inSend += after - before;
    this.#calls++;
    this.#rest -= sent;
    this.#ended = after;
    if (this.#completions === undefined) return after;
    this.#socket.poll(POLLERR);
    this.#completions.take();
    return this.#ended = this.#clock.now();
  }

  figures(): SentFigures {
    return {
      bytes: this.#bytes - this.#rest,
      calls: this.#calls,
      seconds: (this.#ended - this.#began) / 1e9,
      secondsInSend: this.#inSend / 1e9,
      ...(this.#completions === undefined ? {} : { completions: this.#completions.figures() }),
    };
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}

/** One end's receiving, a call at a time. */
export class Receiving implements Disposable {
  readonly #socket: FastSocket;
  readonly #memory: Mapping;
  readonly #clock = new MonotonicClock();
  readonly #into: Bytes;
  readonly #length: bigint;
  readonly #size: number;
  /** MSG_TRUNC where there are messages, whose rest would be thrown away without a word. */
  readonly #flags: number;
  #bytes = 0;
  #calls = 0;
  #inRecv = 0;
  readonly #began: number;
  #ended = 0;

  constructor(socket: Socket, { bufSize, timeout, type }: ThroughputOptions) {
    this.#socket = new FastSocket(socket, timeout);
    this.#memory = callMemory(bufSize);
    this.#into = this.#memory.bytes();
    this.#size = bufSize;
    this.#length = BigInt(bufSize);
    this.#flags = type === "seqpacket" ? MSG_TRUNC : 0;
    this.#began = this.#clock.now();
  }

  /** Whether there will be no more. */
  get done(): boolean {
    return this.#ended !== 0;
  }

  poll(events: number): number {
    return this.#socket.poll(events);
  }

  /**
   * Receives once.
   *
   * @throws {PeerError} where a message is longer than the buffer.
   */
  step(flags: number): void {
    const before = this.#clock.now();
    const received = this.#socket.recv(this.#into, this.#length, flags | this.#flags);
    const after = this.#clock.now();
    if (received < 0) return;
    this.#inRecv += after - before;
    this.#calls++;
    this.#bytes += received;
    if (received > this.#size) throw tooLong(received, this.#size);
    if (received === 0) this.end();
  }

  /** There will be no more. */
  end(): void {
    this.#ended = this.#clock.now();
  }

  figures(): ReceivedFigures {
    return {
      bytes: this.#bytes,
      wakeups: this.#calls,
      seconds: (this.#ended - this.#began) / 1e9,
      secondsInRecv: this.#inRecv / 1e9,
    };
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}

function tooLong(length: number, size: number): PeerError {
  return new PeerError(
    `a message of ${length} bytes does not fit into ${size}: give both ends the same --buf-size`,
  );
}

/**
 * What a call is given: pages of its own, where fresh memory would all be one page of zeros until
 * it is written to, and aligned, which makes the kernel's copies faster by a twentieth.
 */
function callMemory(size: number): Mapping {
  return new Mapping(size, { populate: true });
}
