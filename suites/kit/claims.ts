/**
 * Claims about sockets, on top of those about values.
 *
 * @module
 */
import { Check } from "../../core/check.ts";
import { messageFlags, MSG_PEEK } from "../../sys/constants.ts";
import type { Socket } from "../../sys/socket.ts";
import { timedSleep } from "../../sys/native.ts";
import { type Bytes, bytes, timeval } from "../../sys/structs.ts";

/** What the kernel's tests send where the content does not matter. */
export const BYTE = 0x41;
/** Between two looks at a queue that is still filling, as the kernel's tests wait; milliseconds. */
const PEEK_PAUSE = 10;

/** The claims of one side of a case. */
export class Claims extends Check {
  /**
   * How long one event of the kernel's may be waited for until it counts as missing, in
   * milliseconds: a part of the case's time, since a slow machine is given more of that.
   */
  readonly patience: number;

  /**
   * The claims of a side that has claimed nothing yet.
   *
   * @param patience see {@linkcode patience}.
   */
  constructor(patience: number) {
    super();
    this.patience = patience;
  }

  /**
   * Claims that all of the data can be sent; sends again what a call did not take.
   *
   * @throws {ClaimError} where that fails.
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
   * Claims that exactly `length` bytes can be received; receives again until they are there. With
   * MSG_PEEK it looks again until enough is there to be seen.
   *
   * @param room how large the buffer is, where more must not come although there is room for it.
   * @returns the bytes.
   * @throws {ClaimError} where that fails.
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

  /** Claims that one recv(2) gives exactly `length` bytes, which are all there. */
  async receivesAtOnce(socket: Socket, length: number, flags = 0): Promise<void> {
    const what = `recv(${length}, ${messageFlags(flags)})`;
    const count = await this.succeeds(what, () => socket.recv(bytes(length), flags));
    this.equal(count, length, `${what} of what is all there`);
  }

  /** Claims that one byte of the usual content can be sent. */
  async sendsByte(socket: Socket, flags = 0): Promise<void> {
    const data = bytes(1);
    data[0] = BYTE;
    await this.sends(socket, data, flags);
  }

  /** Claims that one byte of the usual content can be received. */
  async receivesByte(socket: Socket, flags = 0): Promise<void> {
    this.equal((await this.receives(socket, 1, flags))[0], BYTE, "the byte received");
  }

  /** Claims that there is nothing more to receive: recv(2) returns 0. */
  async receivesEnd(socket: Socket): Promise<void> {
    const count = await this.succeeds("recv(1)", () => socket.recv(bytes(1)));
    this.equal(count, 0, "recv(1) after the last byte");
  }

  /**
   * Claims that an ioctl's int becomes a value, now or soon: the kernel's counters may lag behind
   * what the other side has already seen.
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

  /** Claims that an int option takes a value and gives it back. */
  async setsInt(socket: Socket, level: number, option: number, value: number): Promise<void> {
    const what = `option ${option} of level ${level}`;
    await this.succeeds(`set ${what}`, () => socket.setInt(level, option, value));
    const stored = await this.succeeds(`get ${what}`, () => socket.getInt(level, option));
    this.equal(stored, value, `${what} after setting it`);
  }

  /** Claims that an unsigned long long option takes a value and gives it back. */
  async setsU64(socket: Socket, level: number, option: number, value: bigint): Promise<void> {
    const what = `option ${option} of level ${level}`;
    await this.succeeds(`set ${what}`, () => socket.setU64(level, option, value));
    const stored = await this.succeeds(`get ${what}`, () => socket.getU64(level, option));
    this.equal(stored, value, `${what} after setting it`);
  }

  /** Claims that a struct timeval option takes a time and gives it back. */
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
