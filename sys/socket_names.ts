/**
 * A socket's calls that take or give names, with names and lengths of the caller's own: what a
 * program may get wrong.
 *
 * @module
 */
import { messageFlags, MSG_DONTWAIT } from "./constants.ts";
import type { Argument } from "./libc.ts";
import { SocketOptions } from "./socket_options.ts";
import type { Bytes } from "./structs.ts";

/** A socket with names that need be none. */
export class SocketNames extends SocketOptions {
  /** bind(2) to the first `length` bytes at `name`. */
  bindName(name: Argument, length: number): void {
    this.call("bind", `a name of ${length} bytes`, name, length);
  }

  /** connect(2) to the first `length` bytes at `name`, on the calling thread, which it may block. */
  connectName(name: Argument, length: number): void {
    this.call("connect", `a name of ${length} bytes`, name, length);
  }

  /**
   * getsockname(2) or getpeername(2) into memory as it is given.
   *
   * @param length the address of a socklen_t, in which the kernel stores the name's whole length.
   */
  nameInto(which: "getsockname" | "getpeername", name: Argument, length: Argument): void {
    this.call(which, "", name, length);
  }

  /**
   * sendto(2) with MSG_DONTWAIT on the calling thread.
   *
   * @returns the number of bytes sent.
   */
  sendTo(data: Bytes, name: Bytes, flags = 0): number {
    const all = flags | MSG_DONTWAIT;
    const shown = `${data.length}, ${messageFlags(all)}, a name of ${name.length} bytes`;
    return this.call("sendto", shown, data, data.length, all, name, name.length);
  }

  /**
   * recvfrom(2) with MSG_DONTWAIT on the calling thread.
   *
   * @returns the number of bytes received.
   */
  recvFrom(into: Bytes, name: Argument, length: Argument, flags = 0): number {
    const all = flags | MSG_DONTWAIT;
    const shown = `${into.length}, ${messageFlags(all)}`;
    return this.call("recvfrom", shown, into, into.length, all, name, length);
  }
}
