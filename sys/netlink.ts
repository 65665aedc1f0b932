/**
 * Netlink: its messages, and a socket that asks the kernel for a dump. Source: netlink(7),
 * linux/netlink.h.
 *
 * @module
 */
import { AF_NETLINK, MSG_TRUNC, SOCK_CLOEXEC, SOCK_RAW } from "./constants.ts";
import { StillBlockedError, SysError } from "./errno.ts";
import { call, callBlocking } from "./libc.ts";
import type { CallContext } from "./descriptor.ts";
import { type Bytes, bytes } from "./structs.ts";

/** Message types that every protocol has. */
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

/** Flags of a request: it is one, and it asks for all there is. */
export const NLM_F_REQUEST = 0x001;
export const NLM_F_DUMP = 0x300;
/** Flag of an answer: more messages follow, up to NLMSG_DONE. */
export const NLM_F_MULTI = 0x002;

/** Size of struct nlmsghdr. */
const HEADER_SIZE = 16;
const SOCKADDR_NL_SIZE = 12;
/** Room for one datagram of a dump; the kernel fills at most 32 KiB. */
const DATAGRAM_SIZE = 64 * 1024;

/** A netlink message: struct nlmsghdr and what follows it. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** The netlink port of the sender; 0 is the kernel. */
  readonly port: number;
  readonly payload: Bytes;
}

/** A message as bytes. */
export function encodeMessage({ type, flags, sequence, port, payload }: NetlinkMessage): Bytes {
  const encoded = bytes(HEADER_SIZE + payload.length);
  const view = new DataView(encoded.buffer);
  view.setUint32(0, encoded.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  view.setUint32(12, port, true);
  encoded.set(payload, HEADER_SIZE);
  return encoded;
}

/**
 * The messages of one datagram.
 *
 * @throws {RangeError} where one is cut short.
 */
export function decodeMessages(datagram: Bytes): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  for (let at = 0; at < datagram.length;) {
    const left = datagram.length - at;
    const length = left < HEADER_SIZE ? 0 : view.getUint32(at, true);
    if (length < HEADER_SIZE || length > left) {
      throw new RangeError(
        `Cannot read a netlink message of ${length} bytes: the datagram has ${left} left`,
      );
    }
    messages.push({
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      port: view.getUint32(at + 12, true),
      payload: datagram.slice(at + HEADER_SIZE, at + length),
    });
    at += (length + 3) & ~3;
  }
  return messages;
}

/**
 * The error number of an NLMSG_ERROR, or of an NLMSG_DONE that carries one; 0 for none.
 *
 * @throws {RangeError} for an NLMSG_ERROR without one.
 */
export function messageErrno({ type, payload }: NetlinkMessage): number {
  if (payload.length < 4) {
    if (type === NLMSG_DONE) return 0;
    throw new RangeError(`Cannot read an NLMSG_ERROR of ${payload.length} bytes`);
  }
  const result = new DataView(payload.buffer).getInt32(0, true);
  return result === 0 ? 0 : -result;
}

/** A netlink socket; closed when disposed of. */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  readonly #context: CallContext;
  #sequence = 0;

  private constructor(fd: number, context: CallContext) {
    this.#fd = fd;
    this.#context = context;
  }

  /**
   * socket(2) of AF_NETLINK.
   *
   * @param protocol such as NETLINK_SOCK_DIAG.
   * @throws {SysError} EPROTONOSUPPORT on a kernel without that protocol, ...
   */
  static open(protocol: number, context: CallContext = {}): NetlinkSocket {
    const name = `socket(netlink, ${protocol})`;
    context.trace?.(name);
    const fd = call("socket", AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0) throw new SysError(name, -fd);
    return new NetlinkSocket(fd, context);
  }

  /**
   * Asks the kernel for a dump and waits for all of it.
   *
   * @param flags of the request, where it is to be another.
   * @returns the messages, without NLMSG_DONE.
   * @throws {SysError} with the errno that the kernel answered.
   * @throws {RangeError} for an answer that makes no sense.
   */
  async dump(
    type: number,
    payload: Bytes,
    flags: number = NLM_F_REQUEST | NLM_F_DUMP,
  ): Promise<NetlinkMessage[]> {
    const name = `dump(${type})`;
    this.#context.trace?.(name);
    const sequence = ++this.#sequence;
    this.#send(name, encodeMessage({ type, flags, sequence, port: 0, payload }));
    const messages: NetlinkMessage[] = [];
    for (;;) {
      for (const message of decodeMessages(await this.#receive(name))) {
        if (message.sequence !== sequence) {
          throw new RangeError(`${name}: message ${message.sequence} answers none of ours`);
        }
        const last = message.type === NLMSG_DONE;
        if (last || message.type === NLMSG_ERROR) {
          const errno = messageErrno(message);
          if (errno !== 0) throw new SysError(name, errno);
        }
        if (last) return messages;
        if (message.type !== type) throw new RangeError(`${name}: got type ${message.type}`);
        messages.push(message);
      }
    }
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    call("close", this.#fd);
  }

  #send(name: string, request: Bytes): void {
    const kernel = bytes(SOCKADDR_NL_SIZE);
    new DataView(kernel.buffer).setUint16(0, AF_NETLINK, true);
    const sent = call("sendto", this.#fd, request, request.length, 0, kernel, kernel.length);
    if (sent < 0) throw new SysError(`${name}: sendto()`, -sent);
  }

  async #receive(name: string): Promise<Bytes> {
    const room = bytes(DATAGRAM_SIZE);
    const args = [this.#fd, room, room.length, MSG_TRUNC];
    const { result, interrupted, nanoseconds } = await callBlocking(
      "recv",
      args,
      this.#context.signal,
    );
    if (interrupted) throw new StillBlockedError(name, Number(nanoseconds / 1_000_000n));
    if (result < 0) throw new SysError(`${name}: recv()`, -result);
    if (result === 0 || result > room.length) {
      throw new RangeError(`${name}: got a datagram of ${result} bytes`);
    }
    return room.slice(0, result);
  }
}
