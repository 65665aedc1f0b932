/**
 * File descriptors: calls on them, each of which is traced and whose failure is a
 * {@linkcode SysError}. Calls that may block do block, each on a thread of its own, and end with
 * the signal of their context.
 *
 * @module
 */
import {
  AT_EMPTY_PATH,
  F_GETFD,
  F_GETFL,
  F_SETFL,
  FD_CLOEXEC,
  O_CLOEXEC,
  O_NONBLOCK,
  pollEvents,
  POLLIN,
  STATX_INO,
} from "./constants.ts";
import { StillBlockedError, SysError } from "./errno.ts";
import { type Argument, call, callBlocking, type Completion } from "./libc.ts";
import { bytes, int, intOf, pollfd, pollRevents } from "./structs.ts";

/** What a descriptor's calls share: when to stop, and who listens. */
export interface CallContext {
  /** Ends blocked calls with a {@linkcode StillBlockedError}. */
  readonly signal?: AbortSignal;
  /** Told of every call before it is made. */
  readonly trace?: (call: string) => void;
  /** Told of every call that may block, with the promise of its end. */
  readonly begun?: (call: string, end: Promise<unknown>) => void;
  /** Told why a call is not made: whatever came of it would say nothing about the device. */
  readonly unasked?: (why: string) => void;
  /** The descriptors made with this context that are open now. */
  readonly opened?: Set<Descriptor>;
}

/** The failure of a call that may block, with the time that it took. */
export class TimedSysError extends SysError {
  /** Nanoseconds spent in the call, on the thread that made it. */
  readonly nanoseconds: bigint;

  /** The error of a call, as it is written in messages, that came to that end. */
  constructor(call: string, completion: Completion) {
    super(call, -completion.result);
    this.nanoseconds = completion.nanoseconds;
  }
}

/** struct statx, and where in it stx_ino is. */
const STATX_SIZE = 256;
const STATX_INO_OFFSET = 32;
const EMPTY_PATH = bytes(1);

/**
 * open(2) of a file that exists; no program that this process starts inherits it.
 *
 * @param flags besides O_CLOEXEC.
 * @returns its descriptor, which belongs to the caller.
 * @throws {SysError} ENOENT, EACCES, ...
 */
export function openFile(path: string, flags: number, context: CallContext = {}): number {
  const name = `open(${path})`;
  context.trace?.(name);
  const fd = call("open", new TextEncoder().encode(`${path}\0`), flags | O_CLOEXEC);
  if (fd < 0) throw new SysError(name, -fd);
  return fd;
}

/** A descriptor; closed when disposed of. */
export class Descriptor implements Disposable {
  /** -1 once closed. */
  #fd: number;
  readonly #context: CallContext;

  /** Owns a descriptor. */
  protected constructor(fd: number, context: CallContext) {
    this.#fd = fd;
    this.#context = context;
    context.opened?.add(this);
  }

  /** The descriptor, for what this class does not wrap; -1 once closed. */
  get fd(): number {
    return this.#fd;
  }

  /** When to stop, and who listens. */
  protected get context(): CallContext {
    return this.#context;
  }

  /**
   * Makes calls fail with EAGAIN or EINPROGRESS instead of waiting: O_NONBLOCK, fcntl(2).
   *
   * @param on false to have them wait again.
   */
  setNonblocking(on = true): void {
    const flags = this.call("fcntl", "F_GETFL", F_GETFL);
    const set = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    this.call("fcntl", on ? "F_SETFL, O_NONBLOCK" : "F_SETFL", F_SETFL, set);
  }

  /** Whether its calls do not wait: O_NONBLOCK, fcntl(2). */
  isNonblocking(): boolean {
    return (this.call("fcntl", "F_GETFL", F_GETFL) & O_NONBLOCK) !== 0;
  }

  /** Whether execve(2) closes it: FD_CLOEXEC, fcntl(2). */
  closesOnExec(): boolean {
    return (this.call("fcntl", "F_GETFD", F_GETFD) & FD_CLOEXEC) !== 0;
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

  /** The inode number of its file, which tells it apart from every other socket: statx(2). */
  inode(): number {
    const stat = bytes(STATX_SIZE);
    this.call("statx", "STATX_INO", EMPTY_PATH, AT_EMPTY_PATH, STATX_INO, stat);
    return Number(new DataView(stat.buffer).getBigUint64(STATX_INO_OFFSET, true));
  }

  /** ioctl(2) that stores an int, such as SIOCOUTQ. */
  ioctlInt(request: number): number {
    const value = int(0);
    this.call("ioctl", `0x${request.toString(16)}`, request, value);
    return intOf(value);
  }

  /**
   * close(2), blocking as SO_LINGER may make it.
   *
   * @returns the time that it took.
   */
  async close(): Promise<Completion> {
    const fd = this.#forget();
    const name = `close(${fd})`;
    const completion = await this.#begin(name, "close", [fd]);
    if (completion.result < 0) throw new SysError(name, -completion.result);
    return completion;
  }

  /** Closes it if it is open; does not block and does not throw. */
  [Symbol.dispose](): void {
    if (this.#fd >= 0) call("close", this.#forget());
  }

  /** Lets go of the descriptor, and gives it. */
  #forget(): number {
    const fd = this.#fd;
    this.#fd = -1;
    this.#context.opened?.delete(this);
    return fd;
  }

  #describe(symbol: string, shown: string): string {
    return shown === "" ? `${symbol}(${this.#fd})` : `${symbol}(${this.#fd}, ${shown})`;
  }

  /**
   * Makes a call whose first argument is the descriptor: for what wraps calls beside this class.
   *
   * @param shown the other arguments as a trace shows them.
   * @throws {SysError}
   */
  call(symbol: string, shown: string, ...args: Argument[]): number {
    const name = this.#describe(symbol, shown);
    this.#context.trace?.(name);
    const result = call(symbol, this.#fd, ...args);
    if (result < 0) throw new SysError(name, -result);
    return result;
  }

  /** As {@linkcode call}, on a thread of its own. */
  callBlocking(symbol: string, shown: string, ...args: Argument[]): Promise<Completion> {
    return this.#invoke(symbol, shown, [this.#fd, ...args]);
  }

  async #invoke(symbol: string, shown: string, args: Argument[]): Promise<Completion> {
    const name = this.#describe(symbol, shown);
    const completion = await this.#begin(name, symbol, args);
    if (completion.interrupted) {
      throw new StillBlockedError(name, Number(completion.nanoseconds / 1_000_000n));
    }
    if (completion.result < 0) throw new TimedSysError(name, completion);
    return completion;
  }

  /** Begins a call that may block, on a thread of its own. */
  #begin(name: string, symbol: string, args: readonly Argument[]): Promise<Completion> {
    const { trace, signal, begun } = this.#context;
    trace?.(name);
    const call = callBlocking(symbol, args, signal);
    begun?.(name, call);
    return call;
  }
}
