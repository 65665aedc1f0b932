/**
 * A connected socket for loops that measure: its calls go to libc directly and allocate nothing,
 * and tell as exactly as any other why one failed.
 *
 * @module
 */
import {
  MSG_DONTWAIT,
  POLLIN,
  POLLOUT,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  SOL_SOCKET,
} from "../sys/constants.ts";
import { type DirectCalls, directCalls } from "../sys/libc_fast.ts";
import { errnoNumber, SysError } from "../sys/errno.ts";
import { call } from "../sys/libc.ts";
import type { Socket } from "../sys/socket.ts";
import { type Bytes, pollfd } from "../sys/structs.ts";

const EAGAIN = errnoNumber("EAGAIN");
const EINTR = errnoNumber("EINTR");

/** The peer does not do its part; ends a measurement. */
export class PeerError extends Error {
  override readonly name: string = "PeerError";
}

/** It did nothing for as long as it may. */
export class IdlePeerError extends PeerError {
  override readonly name = "IdlePeerError";

  /** @param milliseconds how long it was waited for. */
  constructor(call: string, milliseconds: number) {
    super(`${call}: the peer did nothing for ${milliseconds / 1000} s (--timeout)`);
  }
}

/** Descriptors to poll together. */
export class PollSet {
  readonly #set: Bytes;
  readonly #events: Uint16Array<ArrayBuffer>;
  readonly #count: bigint;
  readonly #poll = directCalls().poll;

  /** @param fds polled for nothing until {@linkcode want} says what for. */
  constructor(fds: readonly number[]) {
    this.#set = new Uint8Array(new ArrayBuffer(8 * fds.length));
    fds.forEach((fd, i) => this.#set.set(pollfd(fd, 0), 8 * i));
    this.#events = new Uint16Array(this.#set.buffer);
    this.#count = BigInt(fds.length);
  }

  /** What to wait for at a descriptor, by its place in the set. */
  want(index: number, events: number): void {
    this.#events[4 * index + 2] = events;
  }

  /** Leaves a descriptor out from now on. */
  remove(index: number): void {
    this.#set.set(pollfd(-1, 0), 8 * index);
  }

  /** What there is at a descriptor. */
  revents(index: number): number {
    return this.#events[4 * index + 3] ?? 0;
  }

  /**
   * poll(2), blocking this thread.
   *
   * @returns how many descriptors have something.
   */
  wait(milliseconds: number): number {
    let ready = this.#poll(this.#set, this.#count, milliseconds);
    while (ready < 0) ready = this.#again(milliseconds);
    return ready;
  }

  #again(milliseconds: number): number {
    const result = call("poll", this.#set, this.#count, milliseconds);
    if (result < 0 && result !== -EINTR) throw new SysError("poll()", -result);
    return result;
  }
}

/** The calls on one socket. */
export class FastSocket {
  readonly #fd: number;
  readonly #calls: DirectCalls = directCalls();
  readonly #timeout: number;
  readonly #self: PollSet;

  /**
   * @param socket must outlive this.
   * @param timeout how long the peer may do nothing, in milliseconds.
   */
  constructor(socket: Socket, timeout: number) {
    this.#fd = socket.fd;
    this.#timeout = timeout;
    this.#self = new PollSet([socket.fd]);
    socket.setTimeval(SOL_SOCKET, SO_SNDTIMEO, timeout);
    socket.setTimeval(SOL_SOCKET, SO_RCVTIMEO, timeout);
  }

  /**
   * send(2), blocking this thread.
   *
   * @returns the bytes sent; -1 where MSG_DONTWAIT says not to wait, and it would have to.
   * @throws {IdlePeerError} when the peer takes nothing for too long.
   */
  send(data: Bytes, length: bigint, flags: number): number {
    const sent = this.#calls.send(this.#fd, data, length, flags);
    return sent >= 0 ? sent : this.#repeat("send", POLLOUT, data, length, flags);
  }

  /**
   * recv(2), blocking this thread.
   *
   * @returns the bytes received, 0 at the end; -1 as {@linkcode send} does.
   * @throws {IdlePeerError} when the peer sends nothing for too long.
   */
  recv(into: Bytes, length: bigint, flags: number): number {
    const received = this.#calls.recv(this.#fd, into, length, flags);
    return received >= 0 ? received : this.#repeat("recv", POLLIN, into, length, flags);
  }

  /** Sends `size` bytes, in as many calls as it takes; what they are does not matter. */
  sendAll(data: Bytes, size: number, length: bigint): void {
    let rest = size - this.send(data, length, 0);
    while (rest > 0) rest -= this.send(data, BigInt(rest), 0);
  }

  /**
   * Receives `size` bytes, in as many calls as it takes, each to the start of the buffer.
   *
   * @returns false at the end, where that comes before the first byte.
   * @throws {Error} where it comes later.
   */
  recvAll(into: Bytes, size: number, length: bigint): boolean {
    let rest = size;
    while (rest > 0) {
      const received = this.recv(into, rest === size ? length : BigInt(rest), 0);
      if (received === 0 && rest === size) return false;
      if (received === 0) throw new PeerError("the peer ended in the midst of a message");
      rest -= received;
    }
    return true;
  }

  /**
   * poll(2) on this socket alone.
   *
   * @returns what there is.
   * @throws {IdlePeerError} when there is nothing for too long.
   */
  poll(events: number): number {
    this.#self.want(0, events);
    if (this.#self.wait(this.#timeout) === 0) throw new IdlePeerError("poll()", this.#timeout);
    return this.#self.revents(0);
  }

  /** Makes a call that failed once more, to learn why, or to succeed after all. */
  #repeat(
    symbol: "send" | "recv",
    events: number,
    data: Bytes,
    length: bigint,
    flags: number,
  ): number {
    for (;;) {
      const result = call(symbol, this.#fd, data, length, flags | MSG_DONTWAIT);
      // An error is sometimes told only once. What follows it then looks like a proper end.
      if (result === 0 && symbol === "recv") {
        throw new PeerError(`recv(${this.#fd}) failed, and then met the end: the peer was reset`);
      }
      if (result >= 0) return result;
      if (result !== -EAGAIN && result !== -EINTR) {
        throw new SysError(`${symbol}(${this.#fd}, ${length})`, -result);
      }
      if (result === -EAGAIN && (flags & MSG_DONTWAIT) !== 0) return -1;
      this.poll(events);
    }
  }
}
