/**
 * Checks on the implementation under test. A failed check is recorded and the case continues, so
 * that one run shows everything that is wrong, unless there is nothing to continue with.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import { messageFlags, MSG_PEEK } from "../sys/constants.ts";
import type { Socket } from "../sys/socket.ts";
import { timedSleep } from "../sys/libc.ts";
import { type Bytes, bytes, timeval } from "../sys/structs.ts";

/** The byte that the kernel's tests send if the content does not matter. */
export const BYTE = 0x41;
/** The interval at which a filling queue is checked, as in the kernel's tests, in milliseconds. */
const PEEK_PAUSE = 10;

/** Ends a case whose failed check leaves nothing to continue with. */
export class ClaimError extends Error {
  /** Tells it from other errors. */
  override readonly name = "ClaimError";
}

/** An error with an errno's name, such as SysError. */
export interface Coded extends Error {
  /** The name, such as `ECONNRESET`. */
  readonly code: string;
}

/** The checks of one side of a case, on values and sockets. */
export class Check {
  readonly #mismatches: string[] = [];
  #explanation: () => readonly string[] = () => [];
  #claims = 0;
  /**
   * How long to wait for a single event in the kernel until it counts as missing, in milliseconds.
   * It is a part of the case's deadline, which is longer on a slow machine.
   */
  readonly patience: number;

  /**
   * The checks of a side that has made none yet.
   *
   * @param patience see {@linkcode patience}.
   */
  constructor(patience: number) {
    this.patience = patience;
  }

  /** The failed checks, one line each. */
  get mismatches(): readonly string[] {
    return this.#mismatches;
  }

  /** What a report on a side that did not pass says besides, one line each. */
  get explanation(): readonly string[] {
    return this.#explanation();
  }

  /** Sets {@linkcode explanation}, which is made only where it is needed. */
  explain(explanation: () => readonly string[]): void {
    this.#explanation = explanation;
  }

  /** The number of checks made. */
  get claims(): number {
    return this.#claims;
  }

  /** Check that something holds. */
  that(holds: boolean, what: string): void {
    this.#claims++;
    if (!holds) this.#mismatches.push(what);
  }

  /** Check that a value equals the expected one. */
  equal<T>(actual: T, expected: T, what: string): void {
    const holds = isDeepStrictEqual(actual, expected);
    this.that(holds, `${what}: expected ${show(expected)}, got ${show(actual)}`);
  }

  /** Check that bytes equal the expected ones; the reason says where they begin to differ. */
  sameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
    // Usually they are equal, and memcmp(3) finds that out a hundred times as fast.
    const isSame = Buffer.compare(actual, expected) === 0;
    const at = isSame ? -1 : expected.findIndex((byte, i) => actual[i] !== byte);
    if (actual.length !== expected.length) {
      this.that(false, `${what}: expected ${expected.length} bytes, got ${actual.length}`);
    } else {
      const hex = (bytes: Uint8Array) => `0x${bytes[at]?.toString(16).padStart(2, "0")}`;
      this.that(at < 0, `${what}: byte ${at} is ${hex(actual)}, expected ${hex(expected)}`);
    }
  }

  /** Check that a flag is set among others. */
  flag(flags: number, flag: number, what: string): void {
    this.that((flags & flag) !== 0, `${what}: the flag is not set in 0x${flags.toString(16)}`);
  }

  /**
   * Check that a call fails with one of these errnos.
   *
   * @returns the error, or undefined if the check failed.
   */
  async fails(
    codes: string | readonly string[],
    what: string,
    call: () => unknown,
  ): Promise<Coded | undefined> {
    const expected = typeof codes === "string" ? [codes] : codes;
    try {
      const result = await call();
      this.that(
        false,
        `${what}: expected ${expected.join(" or ")}, but it returned ${show(result)}`,
      );
    } catch (error) {
      if (!isCoded(error)) throw error;
      const holds = expected.includes(error.code);
      this.that(holds, `${what}: expected ${expected.join(" or ")}, got ${error.message}`);
      if (holds) return error;
    }
    return undefined;
  }

  /**
   * Check that a call succeeds.
   *
   * @returns its result.
   * @throws {ClaimError} if it fails, since there is no result to continue with.
   */
  async succeeds<T>(what: string, call: () => T | Promise<T>): Promise<T> {
    try {
      const result = await call();
      this.that(true, what);
      return result;
    } catch (error) {
      if (!isCoded(error)) throw error;
      throw this.stop(`${what}: ${error.message}`);
    }
  }

  /** Records a failed check, and makes the error that ends the case. */
  stop(what: string): ClaimError {
    this.that(false, what);
    return new ClaimError(what);
  }

  /**
   * Check that all of the data can be sent, with further calls for what a call did not accept.
   *
   * @throws {ClaimError} if that fails.
   */
  async sends(socket: Socket, data: Bytes, flags = 0): Promise<void> {
    const what = `send(${data.length}, ${messageFlags(flags)})`;
    for (let sent = 0; sent < data.length;) {
      const count = await this.succeeds(what, () => socket.send(data.subarray(sent), flags));
      if (count === 0) throw this.stop(`${what}: returned 0 after ${sent} bytes`);
      sent += count;
    }
  }

  /**
   * Check that exactly `length` bytes can be received, with as many calls as it takes. With
   * MSG_PEEK it retries until enough bytes are visible.
   *
   * @param room the size of the buffer, to check that no more bytes arrive although they would fit.
   * @returns the bytes.
   * @throws {ClaimError} if that fails.
   */
  async receives(socket: Socket, length: number, flags = 0, room = length): Promise<Bytes> {
    const what = `recv(${room}, ${messageFlags(flags)})`;
    const data = bytes(room);
    for (let got = 0; got < length;) {
      const rest = data.subarray(got);
      const count = await this.succeeds(what, () => socket.recv(rest, flags));
      if (count === 0) throw this.stop(`${what}: end of file after ${got} bytes`);
      if (count > rest.length) throw this.stop(`${what}: returned ${count}`);
      if (flags & MSG_PEEK && count < length) {
        await timedSleep(PEEK_PAUSE);
        continue;
      }
      got += count;
      if (got > length) throw this.stop(`${what}: ${got} bytes came, expected ${length}`);
    }
    return data.subarray(0, length);
  }

  /** Check that a single recv(2) returns exactly `length` bytes, all of which have arrived. */
  async receivesAtOnce(socket: Socket, length: number, flags = 0): Promise<void> {
    const what = `recv(${length}, ${messageFlags(flags)})`;
    const count = await this.succeeds(what, () => socket.recv(bytes(length), flags));
    this.equal(count, length, `${what} of what is all there`);
  }

  /** Check that one byte, with the usual content, can be sent. */
  async sendsByte(socket: Socket, flags = 0): Promise<void> {
    const data = bytes(1);
    data[0] = BYTE;
    await this.sends(socket, data, flags);
  }

  /** Check that one byte, with the usual content, can be received. */
  async receivesByte(socket: Socket, flags = 0): Promise<void> {
    this.equal((await this.receives(socket, 1, flags))[0], BYTE, "the byte received");
  }

  /** Check that there is nothing more to receive: recv(2) returns 0. */
  async receivesEnd(socket: Socket): Promise<void> {
    const count = await this.succeeds("recv(1)", () => socket.recv(bytes(1)));
    this.equal(count, 0, "recv(1) after the last byte");
  }

  /**
   * Check that an ioctl's int has a value, or soon gets it: the kernel's counters may lag behind
   * what the other side has already observed.
   */
  async ioctlBecomes(socket: Socket, request: number, expected: number, what: string) {
    const deadline = performance.now() + this.patience;
    let value = await this.succeeds(what, () => socket.ioctlInt(request));
    while (value !== expected && performance.now() < deadline) {
      await timedSleep(1);
      value = socket.ioctlInt(request);
    }
    this.equal(value, expected, what);
  }

  /** Check that an int option can be set to a value and then returns it. */
  async setsInt(socket: Socket, level: number, option: number, value: number): Promise<void> {
    const what = `option ${option} of level ${level}`;
    await this.succeeds(`set ${what}`, () => socket.setInt(level, option, value));
    const stored = await this.succeeds(`get ${what}`, () => socket.getInt(level, option));
    this.equal(stored, value, `${what} after setting it`);
  }

  /** Check that an unsigned long long option can be set to a value and then returns it. */
  async setsU64(socket: Socket, level: number, option: number, value: bigint): Promise<void> {
    const what = `option ${option} of level ${level}`;
    await this.succeeds(`set ${what}`, () => socket.setU64(level, option, value));
    const stored = await this.succeeds(`get ${what}`, () => socket.getU64(level, option));
    this.equal(stored, value, `${what} after setting it`);
  }

  /** Check that a struct timeval option can be set to a time and then returns it. */
  async setsTimeval(
    socket: Socket,
    level: number,
    option: number,
    milliseconds: number,
  ): Promise<void> {
    const what = `option ${option} of level ${level}`;
    const value = timeval(milliseconds);
    await this.succeeds(`set ${what}`, () => socket.setsockopt(level, option, value));
    const stored = await this.succeeds(
      `get ${what}`,
      () => socket.getsockopt(level, option, value.length),
    );
    this.sameBytes(stored, value, `${what} after setting it`);
  }
}

function isCoded(error: unknown): error is Coded {
  return error instanceof Error && error.name === "SysError";
}

function show(value: unknown): string {
  if (typeof value === "bigint") return `${value}`;
  if (typeof value === "object" && value !== null) {
    return JSON.stringify(value, (_, item) => typeof item === "bigint" ? `${item}` : item);
  }
  return typeof value === "string" ? `"${value}"` : String(value);
}
