/**
 * An io_uring without liburing: system calls through libc, and the two rings in shared memory.
 *
 * Requests are submitted by the engine's own thread, since the kernel cancels what a thread
 * submitted when that thread ends; waiting is a blocking io_uring_enter(2) on another one.
 *
 * @module
 */
import { StillBlockedError, SysError } from "./errno.ts";
import {
  IORING_CQE_F_MORE,
  IORING_ENTER_GETEVENTS,
  IORING_OFF_SQ_RING,
  IORING_OFF_SQES,
  IORING_OP_READV,
  IORING_OP_SENDMSG,
  IORING_OP_SENDMSG_ZC,
  IORING_REGISTER_BUFFERS,
  IORING_REGISTER_PROBE,
  OPERATIONS,
  probe,
  PROBE_OPS,
  probeHas,
  readCompletion,
  type RingCompletion,
  type RingLayout,
  ringLayout,
  ringParams,
  type RingRequest,
  ringSlot,
  ringUsed,
  SYS_IO_URING_ENTER,
  SYS_IO_URING_REGISTER,
  SYS_IO_URING_SETUP,
  writeRequest,
} from "./io_uring_abi.ts";
import { Mapping } from "./memory.ts";
import { addressOf, type Argument, call, callBlocking } from "./libc.ts";
import type { CallContext } from "./descriptor.ts";
import { type Bytes, encodeVectors, type IoVector, messageHeader } from "./structs.ts";

const EINTR = 4;

/**
 * What requests that never completed point to. The kernel cancels them after their ring is closed,
 * at a time of its own, and until then may write to that memory: it must not be collected.
 */
const ABANDONED = new Set<unknown>();

/** A ring; closed when disposed of. */
export class IoUring implements Disposable {
  #fd: number;
  readonly #layout: RingLayout;
  readonly #rings: Mapping;
  readonly #entries: Mapping;
  readonly #context: CallContext;
  /** What the requests under way point to, by their user data. */
  readonly #pending = new Map<bigint, unknown>();
  #submitted = 0n;

  /** Maps the rings of a descriptor that io_uring_setup(2) gave. */
  protected constructor(fd: number, layout: RingLayout, context: CallContext) {
    const share = (length: number, offset: number) =>
      new Mapping(length, { populate: true, shared: { fd, offset } });
    this.#fd = fd;
    this.#layout = layout;
    this.#context = context;
    this.#rings = share(layout.ringsLength, IORING_OFF_SQ_RING);
    this.#entries = share(layout.sqesLength, IORING_OFF_SQES);
  }

  /**
   * io_uring_setup(2).
   *
   * @param entries how many requests may wait to be submitted: a power of two.
   * @throws {SysError} ENOSYS on a kernel without io_uring, EPERM where it is disabled, ...
   */
  static open(entries: number, context: CallContext = {}): IoUring {
    const name = `io_uring_setup(${entries})`;
    context.trace?.(name);
    const params = ringParams();
    const fd = call("syscall", SYS_IO_URING_SETUP, entries, params);
    if (fd < 0) throw new SysError(name, -fd);
    try {
      return new this(fd, ringLayout(params), context);
    } catch (error) {
      call("close", fd);
      throw error;
    }
  }

  /** Whether the kernel has an operation, IORING_REGISTER_PROBE. */
  supports(opcode: number): boolean {
    const filled = probe();
    this.#register("IORING_REGISTER_PROBE", IORING_REGISTER_PROBE, filled, PROBE_OPS);
    return probeHas(filled, opcode);
  }

  /** Pins memory for fixed buffers, IORING_REGISTER_BUFFERS. */
  registerBuffers(vectors: readonly IoVector[]): void {
    const name = "IORING_REGISTER_BUFFERS";
    this.#register(name, IORING_REGISTER_BUFFERS, encodeVectors(vectors), vectors.length);
  }

  /** Submits a sendmsg(2); returns the user data of its completion. */
  sendmsg(fd: number, vectors: readonly IoVector[], flags = 0): bigint {
    return this.#submitMessage(IORING_OP_SENDMSG, fd, vectors, flags);
  }

  /** As {@linkcode sendmsg}, without copying; a second completion tells that the memory is free. */
  sendmsgZc(fd: number, vectors: readonly IoVector[], flags = 0): bigint {
    return this.#submitMessage(IORING_OP_SENDMSG_ZC, fd, vectors, flags);
  }

  /** Submits a readv(2); returns the user data of its completion. */
  readv(fd: number, vectors: readonly IoVector[]): bigint {
    const iov = encodeVectors(vectors);
    const request = {
      opcode: IORING_OP_READV,
      fd,
      address: addressOf(iov),
      length: vectors.length,
    };
    return this.#submit(request, [iov, vectors]);
  }

  /**
   * The next completion, waiting for it in io_uring_enter(2) if there is none yet.
   *
   * @throws {StillBlockedError} when the signal of the context was aborted first.
   */
  async wait(): Promise<RingCompletion> {
    for (;;) {
      const completion = this.#take();
      if (completion !== undefined) {
        if ((completion.flags & IORING_CQE_F_MORE) === 0) this.#pending.delete(completion.userData);
        return completion;
      }
      const name = "io_uring_enter(wait for a completion)";
      this.#context.trace?.(name);
      const args = [SYS_IO_URING_ENTER, this.#fd, 0, 1, IORING_ENTER_GETEVENTS, null];
      const done = await callBlocking("syscall", args, this.#context.signal);
      if (done.interrupted) {
        throw new StillBlockedError(name, Number(done.nanoseconds / 1_000_000n));
      }
      // The kernel ends the wait for signals of its own making as well.
      if (done.result < 0 && done.result !== -EINTR) throw new SysError(name, -done.result);
    }
  }

  /** Closes it; what is under way is cancelled. */
  [Symbol.dispose](): void {
    if (this.#fd < 0) return;
    for (const kept of this.#pending.values()) ABANDONED.add(kept);
    call("close", this.#fd);
    this.#fd = -1;
    this.#entries[Symbol.dispose]();
    this.#rings[Symbol.dispose]();
  }

  #submitMessage(opcode: number, fd: number, vectors: readonly IoVector[], flags: number): bigint {
    const header = messageHeader(vectors);
    const address = addressOf(header.bytes);
    return this.#submit({ opcode, fd, address, length: 1, messageFlags: flags }, header);
  }

  /** Submits one request. */
  #submit(request: Omit<RingRequest, "userData">, keep: unknown): bigint {
    const name = `io_uring_enter(submit ${OPERATIONS[request.opcode] ?? request.opcode})`;
    this.#context.trace?.(name);
    const { sqHead, sqTail, sqArray, sqEntries, sqDropped } = this.#layout;
    const head = this.#word(sqHead);
    const tail = this.#word(sqTail);
    // Only this side moves the tail.
    const next = Atomics.load(tail, 0);
    if (ringUsed(Atomics.load(head, 0), next) >= sqEntries) {
      throw new RangeError(`${name}: the submission queue is full`);
    }
    const userData = ++this.#submitted;
    const slot = ringSlot(next, sqEntries);
    writeRequest(this.#entries.bytes(), slot, { ...request, userData });
    Atomics.store(this.#word(sqArray + 4 * slot), 0, slot);
    // The kernel reads the tail with acquire semantics: all that is written above comes before it.
    Atomics.store(tail, 0, (next + 1) | 0);
    const count = call("syscall", SYS_IO_URING_ENTER, this.#fd, 1, 0, 0, null);
    if (count < 0) throw new SysError(name, -count);
    if (count !== 1 || Atomics.load(this.#word(sqDropped), 0) !== 0) {
      throw new RangeError(`${name}: the kernel took ${count} requests, not 1`);
    }
    this.#pending.set(userData, keep);
    return userData;
  }

  /** Takes a completion out of its ring. */
  #take(): RingCompletion | undefined {
    if (this.#fd < 0) throw new RangeError("Cannot wait for a completion: the ring is closed");
    const { cqHead, cqTail, cqEntries, cqes, cqOverflow } = this.#layout;
    const head = this.#word(cqHead);
    const next = Atomics.load(head, 0);
    // The kernel writes the tail with release semantics, after the completion.
    if (ringUsed(next, Atomics.load(this.#word(cqTail), 0)) === 0) return undefined;
    if (Atomics.load(this.#word(cqOverflow), 0) !== 0) {
      throw new RangeError("Cannot rely on the completions: the kernel dropped some");
    }
    const completion = readCompletion(this.#rings.bytes(cqes), ringSlot(next, cqEntries));
    // From here on the kernel may use the slot again.
    Atomics.store(head, 0, (next + 1) | 0);
    return completion;
  }

  #word(at: number): Int32Array<ArrayBuffer> {
    const { buffer, byteOffset } = this.#rings.bytes(at, 4);
    return new Int32Array(buffer, byteOffset, 1);
  }

  #register(name: string, what: number, argument: Bytes, count: number): void {
    this.#context.trace?.(name);
    const args: Argument[] = [SYS_IO_URING_REGISTER, this.#fd, what, argument, count];
    const result = call("syscall", ...args);
    if (result < 0) throw new SysError(name, -result);
  }
}
