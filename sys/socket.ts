/**
 * Sockets over libc: every method is one call, and its failure a {@linkcode SysError}.
 * Calls that may block do block, each on a thread of its own, and end with the socket's signal.
 *
 * @module
 */
import {
  AF_VSOCK,
  F_GETFL,
  F_SETFL,
  messageFlags,
  MSG_DONTWAIT,
  O_NONBLOCK,
  pollEvents,
  POLLIN,
  SOCK_CLOEXEC,
  SOCK_SEQPACKET,
  SOCK_STREAM,
} from "./constants.ts";
import { StillBlockedError, SysError } from "./errno.ts";
import { type Argument, call, callBlocking, type Completion } from "./native.ts";
import {
  type Address,
  type AddressFamily,
  type Bytes,
  bytes,
  type ControlMessage,
  controlMessages,
  int,
  type IoVector,
  linger,
  messageHeader,
  messageHeaderFlags,
  pollfd,
  pollRevents,
  SOCKADDR_STORAGE_SIZE,
  timeval,
  u64,
} from "./structs.ts";

/** The types of socket that AF_VSOCK has for connections. */
export type SocketType = "stream" | "seqpacket";

/** What a socket's calls share: when to stop, and who listens. */
export interface CallContext {
  /** Ends blocked calls with a {@linkcode StillBlockedError}. */
  readonly signal?: AbortSignal;
  /** Told of every call before it is made. */
  readonly trace?: (call: string) => void;
}

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

/** The environment variable that makes this process refuse AF_VSOCK. */
export const FORBID_VSOCK = "VSOCK_CONFORMANCE_FORBID_VSOCK";

/** @throws {Error} where this process is to keep away from AF_VSOCK. */
export function refuseForbidden(what: string): void {
  if (Deno.env.get(FORBID_VSOCK)) throw new Error(`Cannot open ${what}: ${FORBID_VSOCK} is set`);
}

const TYPE_NUMBERS: Readonly<Record<SocketType, number>> = {
  stream: SOCK_STREAM,
  seqpacket: SOCK_SEQPACKET,
};

/** A socket; closed when disposed of. */
export class Socket implements Disposable {
  /** Its descriptor; -1 once closed. */
  #fd: number;
  /** Its family, which encodes its addresses. */
  readonly family: AddressFamily;
  /** Its type. */
  readonly type: SocketType;
  readonly #context: CallContext;

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
    this.#fd = fd;
    this.family = family;
    this.type = type;
    this.#context = context;
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

  /** The descriptor, for what this class does not wrap; -1 once closed. */
  get fd(): number {
    return this.#fd;
  }

  /** bind(2). */
  bind(address: Address): void {
    const sockaddr = this.family.encode(address);
    this.#call("bind", this.#show(address), sockaddr, sockaddr.length);
  }

  /** listen(2). */
  listen(backlog: number): void {
    this.#call("listen", `${backlog}`, backlog);
  }

  /** accept4(2), blocking. */
  async accept(): Promise<{ socket: Socket; address: Address }> {
    const sockaddr = bytes(SOCKADDR_STORAGE_SIZE);
    const length = int(sockaddr.length);
    const fd = await this.#callBlocking("accept4", "", sockaddr, length, SOCK_CLOEXEC);
    const socket = this.#accepted(fd.result);
    return { socket, address: this.family.decode(sockaddr, asInt(length)) };
  }

  /** accept4(2) on the calling thread, which it blocks where the socket blocks. */
  acceptHere(): Socket {
    return this.#accepted(this.#call("accept4", "", null, null, SOCK_CLOEXEC));
  }

  /** connect(2), blocking. */
  async connect(address: Address): Promise<void> {
    const sockaddr = this.family.encode(address);
    await this.#callBlocking("connect", this.#show(address), sockaddr, sockaddr.length);
  }

  /**
   * connect(2) on the calling thread, which it blocks: where the socket does not block, or where
   * signals that are sent to this thread are to interrupt it.
   */
  connectHere(address: Address): void {
    const sockaddr = this.family.encode(address);
    this.#call("connect", this.#show(address), sockaddr, sockaddr.length);
  }

  /**
   * send(2) with MSG_DONTWAIT on the calling thread: many times as fast as {@linkcode send}, for
   * cases about many calls in a row.
   *
   * @throws {SysError} EAGAIN where it would have to wait.
   */
  sendHere(data: Bytes, flags = 0): number {
    const shown = `${data.length}, ${messageFlags(flags | MSG_DONTWAIT)}`;
    return this.#call("send", shown, data, data.length, flags | MSG_DONTWAIT);
  }

  /**
   * send(2), blocking unless MSG_DONTWAIT says otherwise.
   *
   * @returns the number of bytes sent.
   */
  async send(data: Bytes | RawMemory, flags = 0): Promise<number> {
    const shown = `${data.length}, ${messageFlags(flags)}`;
    return (await this.#callBlocking("send", shown, memory(data), data.length, flags)).result;
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
    return this.#callBlocking("recv", shown, memory(into), into.length, flags);
  }

  /** As {@linkcode recvTimed}, through read(2). */
  readTimed(into: Bytes | RawMemory): Promise<Completion> {
    return this.#callBlocking("read", `${into.length}`, memory(into), into.length);
  }

  /** sendmsg(2), blocking; `control` as encodeControlMessages makes it. */
  async sendmsg(vectors: readonly IoVector[], flags = 0, control?: Bytes): Promise<number> {
    const header = messageHeader(vectors, control);
    const shown = `${totalLength(vectors)}, ${messageFlags(flags)}`;
    return (await this.#callBlocking("sendmsg", shown, header.bytes, flags)).result;
  }

  /** recvmsg(2), blocking; `control` is room for control messages. */
  async recvmsg(
    vectors: readonly IoVector[],
    flags = 0,
    control?: Bytes,
  ): Promise<ReceivedMessage> {
    const header = messageHeader(vectors, control);
    const shown = `${totalLength(vectors)}, ${messageFlags(flags)}`;
    const { result } = await this.#callBlocking("recvmsg", shown, header.bytes, flags);
    return {
      length: result,
      flags: messageHeaderFlags(header),
      control: controlMessages(header),
    };
  }

  /** shutdown(2). */
  shutdown(how: number): void {
    this.#call("shutdown", ["SHUT_RD", "SHUT_WR", "SHUT_RDWR"][how] ?? `${how}`, how);
  }

  /** Makes calls fail with EAGAIN or EINPROGRESS instead of waiting: O_NONBLOCK, fcntl(2). */
  setNonblocking(): void {
    const flags = this.#call("fcntl", "F_GETFL", F_GETFL);
    this.#call("fcntl", "F_SETFL, O_NONBLOCK", F_SETFL, flags | O_NONBLOCK);
  }

  /**
   * poll(2) on this socket alone.
   *
   * @param milliseconds -1 to wait for ever (until the signal).
   * @returns revents: 0 when the time ran out.
   */
  async poll(events: number = POLLIN, milliseconds = -1): Promise<number> {
    const set = pollfd(this.#fd, events);
    const shown = `${pollEvents(events)}, ${milliseconds} ms`;
    await this.#invoke("poll", shown, [set, 1, milliseconds]);
    return pollRevents(set);
  }

  /** getsockname(2). */
  getsockname(): Address {
    return this.#name("getsockname");
  }

  /** getpeername(2). */
  getpeername(): Address {
    return this.#name("getpeername");
  }

  /** setsockopt(2) with an option's bytes, such as those of `int`, `u64`, `timeval`, `linger`. */
  setsockopt(level: number, option: number, value: Bytes): void {
    this.#call("setsockopt", `${level}, ${option}`, level, option, value, value.length);
  }

  /**
   * getsockopt(2) with room for `size` bytes.
   *
   * @returns the bytes that the kernel stored.
   */
  getsockopt(level: number, option: number, size: number): Bytes {
    const value = bytes(size);
    const length = int(size);
    this.#call("getsockopt", `${level}, ${option}`, level, option, value, length);
    return value.slice(0, asInt(length));
  }

  /** An int option. */
  getInt(level: number, option: number): number {
    return asInt(this.getsockopt(level, option, 4));
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

  /** Sets a struct timeval option. */
  setTimeval(level: number, option: number, milliseconds: number): void {
    this.setsockopt(level, option, timeval(milliseconds));
  }

  /** Sets a struct linger option; undefined turns it off. */
  setLinger(level: number, option: number, seconds: number | undefined): void {
    this.setsockopt(level, option, linger(seconds));
  }

  /** ioctl(2) that stores an int, such as SIOCOUTQ. */
  ioctlInt(request: number): number {
    const value = int(0);
    this.#call("ioctl", `0x${request.toString(16)}`, request, value);
    return asInt(value);
  }

  /**
   * close(2), blocking as SO_LINGER may make it.
   *
   * @returns the time that it took.
   */
  async close(): Promise<Completion> {
    const fd = this.#fd;
    this.#fd = -1;
    this.#context.trace?.(`close(${fd})`);
    const completion = await callBlocking("close", [fd], this.#context.signal);
    if (completion.result < 0) throw new SysError(`close(${fd})`, -completion.result);
    return completion;
  }

  /** Closes it if it is open; does not block and does not throw. */
  [Symbol.dispose](): void {
    if (this.#fd < 0) return;
    call("close", this.#fd);
    this.#fd = -1;
  }

  #accepted(fd: number): Socket {
    const Self = this.constructor as typeof Socket;
    return new Self(fd, this.family, this.type, this.#context);
  }

  #show(address: Address): string {
    return `${this.family.name} ${showCid(address.cid)}:${showCid(address.port)}`;
  }

  #name(symbol: "getsockname" | "getpeername"): Address {
    const sockaddr = bytes(SOCKADDR_STORAGE_SIZE);
    const length = int(sockaddr.length);
    this.#call(symbol, "", sockaddr, length);
    return this.family.decode(sockaddr, asInt(length));
  }

  #describe(symbol: string, shown: string): string {
    return shown === "" ? `${symbol}(${this.#fd})` : `${symbol}(${this.#fd}, ${shown})`;
  }

  #call(symbol: string, shown: string, ...args: Argument[]): number {
    const name = this.#describe(symbol, shown);
    this.#context.trace?.(name);
    const result = call(symbol, this.#fd, ...args);
    if (result < 0) throw new SysError(name, -result);
    return result;
  }

  #callBlocking(symbol: string, shown: string, ...args: Argument[]): Promise<Completion> {
    return this.#invoke(symbol, shown, [this.#fd, ...args]);
  }

  async #invoke(symbol: string, shown: string, args: Argument[]): Promise<Completion> {
    const name = this.#describe(symbol, shown);
    this.#context.trace?.(name);
    const completion = await callBlocking(symbol, args, this.#context.signal);
    if (completion.interrupted) {
      throw new StillBlockedError(name, Number(completion.nanoseconds / 1_000_000n));
    }
    if (completion.result < 0) throw new TimedSysError(name, completion);
    return completion;
  }
}

/** The failure of a call that may block, with the time that it took. */
export class TimedSysError extends SysError {
  /** Nanoseconds spent in the call, on the thread that made it. */
  readonly nanoseconds: bigint;

  constructor(call: string, completion: Completion) {
    super(call, -completion.result);
    this.nanoseconds = completion.nanoseconds;
  }
}

function memory(data: Bytes | RawMemory): Argument {
  return data instanceof Uint8Array ? data : data.address;
}

function asInt(value: Bytes): number {
  return new DataView(value.buffer, value.byteOffset).getInt32(0, true);
}

function showCid(value: number): string {
  return value === 0xffffffff ? "any" : `${value}`;
}

function totalLength(vectors: readonly IoVector[]): number {
  return vectors.reduce((sum, { length }) => sum + length, 0);
}
