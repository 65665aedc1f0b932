/**
 * Sockets over libc: every method is one call, and its failure a {@linkcode SysError}.
 *
 * @module
 */
import {
  AF_VSOCK,
  F_DUPFD_CLOEXEC,
  messageFlags,
  MSG_DONTWAIT,
  SOCK_CLOEXEC,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOCK_TYPE_MASK,
} from "./constants.ts";
import type { CallContext } from "./descriptor.ts";
import { SysError } from "./errno.ts";
import { refuseForbidden } from "./forbidden.ts";
import { type Argument, call, type Completion } from "./libc.ts";
import { SocketNames } from "./socket_names.ts";
import {
  type Address,
  type AddressFamily,
  type Bytes,
  bytes,
  type ControlMessage,
  controlMessages,
  int,
  intOf,
  type IoVector,
  messageHeader,
  messageHeaderFlags,
  SOCKADDR_STORAGE_SIZE,
} from "./structs.ts";

/** The types of socket that AF_VSOCK has for connections. */
export type SocketType = "stream" | "seqpacket";

/** What recvmsg(2) returned. */
export interface ReceivedMessage {
  /** The result: the bytes stored, or with MSG_TRUNC the length of the whole message. */
  readonly length: number;
  /** msg_flags. */
  readonly flags: number;
  /** The control messages, cmsg(3). */
  readonly control: readonly ControlMessage[];
}

/** Memory for recv(2) or send(2) that is not a buffer: an address (NULL is 0n) and a length. */
export interface RawMemory {
  /** The first byte's address. */
  readonly address: bigint;
  /** In bytes. */
  readonly length: number;
}

const TYPE_NUMBERS: Readonly<Record<SocketType, number>> = {
  stream: SOCK_STREAM,
  seqpacket: SOCK_SEQPACKET,
};

/** A socket; closed when disposed of. */
export class Socket extends SocketNames {
  /** Its family, which encodes its addresses. */
  readonly family: AddressFamily;
  /** Its type. */
  readonly type: SocketType;

  /**
   * For {@linkcode open} and {@linkcode accept}.
   *
   * @param fd a descriptor that the socket then owns.
   */
  protected constructor(
    fd: number,
    family: AddressFamily,
    type: SocketType,
    context: CallContext,
  ) {
    super(fd, context);
    this.family = family;
    this.type = type;
  }

  /**
   * socket(2).
   *
   * @throws {SysError} EAFNOSUPPORT on a kernel without AF_VSOCK, ESOCKTNOSUPPORT, ENODEV, ...
   */
  static open(family: AddressFamily, type: SocketType, context: CallContext = {}): Socket {
    if (family.domain === AF_VSOCK) refuseForbidden("an AF_VSOCK socket");
    const name = `socket(${family.name}, ${type})`;
    context.trace?.(name);
    const fd = call("socket", family.domain, TYPE_NUMBERS[type] | SOCK_CLOEXEC, 0);
    if (fd < 0) throw new SysError(name, -fd);
    return new this(fd, family, type, context);
  }

  /**
   * socket(2) with numbers of the caller's own.
   *
   * @param type what is known of it as: {@linkcode open} knows two types alone.
   * @throws {SysError} ESOCKTNOSUPPORT, EPROTONOSUPPORT, ENODEV, ...
   */
  static create(
    family: AddressFamily,
    type: number,
    protocol: number,
    context: CallContext = {},
  ): Socket {
    if (family.domain === AF_VSOCK) refuseForbidden("an AF_VSOCK socket");
    const name = `socket(${family.name}, ${type}, ${protocol})`;
    context.trace?.(name);
    const fd = call("socket", family.domain, type, protocol);
    if (fd < 0) throw new SysError(name, -fd);
    const isStream = (type & SOCK_TYPE_MASK) === SOCK_STREAM;
    return new this(fd, family, isStream ? "stream" : "seqpacket", context);
  }

  /**
   * socketpair(2).
   *
   * @throws {SysError} EOPNOTSUPP for AF_VSOCK, ...
   */
  static pair(family: AddressFamily, type: SocketType, context: CallContext = {}): Socket[] {
    if (family.domain === AF_VSOCK) refuseForbidden("an AF_VSOCK socket");
    const name = `socketpair(${family.name}, ${type})`;
    context.trace?.(name);
    const fds = new Int32Array(2);
    const result = call("socketpair", family.domain, TYPE_NUMBERS[type] | SOCK_CLOEXEC, 0, fds);
    if (result < 0) throw new SysError(name, -result);
    return [...fds].map((fd) => new this(fd, family, type, context));
  }

  /** bind(2). */
  bind(address: Address): void {
    const sockaddr = this.family.encode(address);
    this.call("bind", this.#show(address), sockaddr, sockaddr.length);
  }

  /** listen(2). */
  listen(backlog: number): void {
    this.call("listen", `${backlog}`, backlog);
  }

  /** accept4(2), blocking. */
  async accept(): Promise<{ socket: Socket; address: Address }> {
    const sockaddr = bytes(SOCKADDR_STORAGE_SIZE);
    const length = int(sockaddr.length);
    const fd = await this.callBlocking("accept4", "", sockaddr, length, SOCK_CLOEXEC);
    const socket = this.#accepted(fd.result);
    return { socket, address: this.family.decode(sockaddr, intOf(length)) };
  }

  /**
   * accept4(2) on the calling thread, which it blocks where the socket blocks.
   *
   * @param name where the kernel stores the peer's name, and `length` its length; nowhere without.
   */
  acceptHere(flags = SOCK_CLOEXEC, name: Argument = null, length: Argument = null): Socket {
    return this.#accepted(this.call("accept4", "", name, length, flags));
  }

  /** connect(2), blocking. */
  async connect(address: Address): Promise<void> {
    const sockaddr = this.family.encode(address);
    await this.callBlocking("connect", this.#show(address), sockaddr, sockaddr.length);
  }

  /**
   * connect(2) on the calling thread, which it blocks: where the socket does not block, or where
   * signals that are sent to this thread are to interrupt it.
   */
  connectHere(address: Address): void {
    const sockaddr = this.family.encode(address);
    this.call("connect", this.#show(address), sockaddr, sockaddr.length);
  }

  /**
   * send(2) with MSG_DONTWAIT on the calling thread: many times as fast as {@linkcode send}, for
   * cases about many calls in a row.
   *
   * @throws {SysError} EAGAIN where it would have to wait.
   */
  sendHere(data: Bytes, flags = 0): number {
    const shown = `${data.length}, ${messageFlags(flags | MSG_DONTWAIT)}`;
    return this.call("send", shown, data, data.length, flags | MSG_DONTWAIT);
  }

  /**
   * send(2), blocking unless MSG_DONTWAIT says otherwise.
   *
   * @returns the number of bytes sent.
   */
  async send(data: Bytes | RawMemory, flags = 0): Promise<number> {
    const shown = `${data.length}, ${messageFlags(flags)}`;
    return (await this.callBlocking("send", shown, memory(data), data.length, flags)).result;
  }

  /**
   * recv(2), blocking unless MSG_DONTWAIT says otherwise.
   *
   * @returns the result: the bytes stored (0 at the end), or with MSG_TRUNC the real length.
   */
  async recv(into: Bytes | RawMemory, flags = 0): Promise<number> {
    return (await this.recvTimed(into, flags)).result;
  }

  /** As {@linkcode recv}, with the time that the call took. */
  recvTimed(into: Bytes | RawMemory, flags = 0): Promise<Completion> {
    const shown = `${into.length}, ${messageFlags(flags)}`;
    return this.callBlocking("recv", shown, memory(into), into.length, flags);
  }

  /** As {@linkcode recvTimed}, through read(2). */
  readTimed(into: Bytes | RawMemory): Promise<Completion> {
    return this.callBlocking("read", `${into.length}`, memory(into), into.length);
  }

  /** sendmsg(2), blocking; `control` as encodeControlMessages makes it. */
  async sendmsg(vectors: readonly IoVector[], flags = 0, control?: Bytes): Promise<number> {
    const header = messageHeader(vectors, control);
    const shown = `${totalLength(vectors)}, ${messageFlags(flags)}`;
    return (await this.callBlocking("sendmsg", shown, header.bytes, flags)).result;
  }

  /** recvmsg(2), blocking; `control` is room for control messages. */
  async recvmsg(
    vectors: readonly IoVector[],
    flags = 0,
    control?: Bytes,
  ): Promise<ReceivedMessage> {
    const header = messageHeader(vectors, control);
    const shown = `${totalLength(vectors)}, ${messageFlags(flags)}`;
    const { result } = await this.callBlocking("recvmsg", shown, header.bytes, flags);
    return {
      length: result,
      flags: messageHeaderFlags(header),
      control: controlMessages(header),
    };
  }

  /** shutdown(2). */
  shutdown(how: number): void {
    this.call("shutdown", ["SHUT_RD", "SHUT_WR", "SHUT_RDWR"][how] ?? `${how}`, how);
  }

  /** A second descriptor of the same socket, fcntl(F_DUPFD_CLOEXEC). */
  dup(): Socket {
    return this.#accepted(this.call("fcntl", "F_DUPFD_CLOEXEC", F_DUPFD_CLOEXEC, 0));
  }

  /** getsockname(2). */
  getsockname(): Address {
    return this.#name("getsockname");
  }

  /** getpeername(2). */
  getpeername(): Address {
    return this.#name("getpeername");
  }

  #accepted(fd: number): Socket {
    const Self = this.constructor as typeof Socket;
    return new Self(fd, this.family, this.type, this.context);
  }

  #show(address: Address): string {
    return `${this.family.name} ${showCid(address.cid)}:${showCid(address.port)}`;
  }

  #name(symbol: "getsockname" | "getpeername"): Address {
    const sockaddr = bytes(SOCKADDR_STORAGE_SIZE);
    const length = int(sockaddr.length);
    this.call(symbol, "", sockaddr, length);
    return this.family.decode(sockaddr, intOf(length));
  }
}

function memory(data: Bytes | RawMemory): Argument {
  return data instanceof Uint8Array ? data : data.address;
}

function showCid(value: number): string {
  return value === 0xffffffff ? "any" : `${value}`;
}

function totalLength(vectors: readonly IoVector[]): number {
  return vectors.reduce((sum, { length }) => sum + length, 0);
}
