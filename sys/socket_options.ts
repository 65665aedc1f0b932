/**
 * The options of a socket: getsockopt(2) and setsockopt(2), by what an option's value is, and with
 * memory and lengths of the caller's own.
 *
 * @module
 */
import { Descriptor } from "./descriptor.ts";
import type { Argument } from "./libc.ts";
import { type Bytes, bytes, int, intOf, linger, timeval, u64 } from "./structs.ts";

/** A descriptor with options. */
export class SocketOptions extends Descriptor {
  /** setsockopt(2) with an option's bytes, such as those of `int`, `u64`, `timeval`, `linger`. */
  setsockopt(level: number, option: number, value: Bytes): void {
    this.setsockoptAt(level, option, value, value.length);
  }

  /**
   * setsockopt(2) with whatever is given.
   *
   * @param length optlen, in bytes, whatever there is at `value`.
   */
  setsockoptAt(level: number, option: number, value: Argument, length: number): void {
    this.call("setsockopt", `${level}, ${option}`, level, option, value, length);
  }

  /**
   * getsockopt(2) with room for `size` bytes.
   *
   * @returns the bytes that the kernel stored.
   */
  getsockopt(level: number, option: number, size: number): Bytes {
    const value = bytes(size);
    const length = int(size);
    this.getsockoptAt(level, option, value, length);
    return value.slice(0, intOf(length));
  }

  /** getsockopt(2) into memory as it is given, `length` that of a socklen_t. */
  getsockoptAt(level: number, option: number, value: Argument, length: Argument): void {
    this.call("getsockopt", `${level}, ${option}`, level, option, value, length);
  }

  /** An int option. */
  getInt(level: number, option: number): number {
    return intOf(this.getsockopt(level, option, 4));
  }

  /** Sets an int option. */
  setInt(level: number, option: number, value: number): void {
    this.setsockopt(level, option, int(value));
  }

  /** An unsigned long long option. */
  getU64(level: number, option: number): bigint {
    return new DataView(this.getsockopt(level, option, 8).buffer).getBigUint64(0, true);
  }

  /** Sets an unsigned long long option. */
  setU64(level: number, option: number, value: bigint): void {
    this.setsockopt(level, option, u64(value));
  }

  /** A struct timeval option, in milliseconds. */
  getTimeval(level: number, option: number): number {
    const view = new DataView(this.getsockopt(level, option, 16).buffer);
    return Number(view.getBigInt64(0, true)) * 1000 + Number(view.getBigInt64(8, true)) / 1000;
  }

  /** Sets a struct timeval option. */
  setTimeval(level: number, option: number, milliseconds: number): void {
    this.setsockopt(level, option, timeval(milliseconds));
  }

  /** Sets a struct linger option; undefined turns it off. */
  setLinger(level: number, option: number, seconds: number | undefined): void {
    this.setsockopt(level, option, linger(seconds));
  }
}
