/**
 * io_uring's structures and the arithmetic of its rings. Source: io_uring(7), linux/io_uring.h.
 *
 * @module
 */
import { type Bytes, bytes } from "./structs.ts";

/** System calls; every architecture has the same numbers. */
export const SYS_IO_URING_SETUP = 425;
export const SYS_IO_URING_ENTER = 426;
export const SYS_IO_URING_REGISTER = 427;

/** Operations. */
export const IORING_OP_READV = 1;
export const IORING_OP_SENDMSG = 9;
export const IORING_OP_SENDMSG_ZC = 48;

/** Their names in messages. */
export const OPERATIONS: Readonly<Record<number, string>> = {
  [IORING_OP_READV]: "READV",
  [IORING_OP_SENDMSG]: "SENDMSG",
  [IORING_OP_SENDMSG_ZC]: "SENDMSG_ZC",
};

/** Flags of a completion: another one follows; it says that the memory is free again. */
export const IORING_CQE_F_MORE = 1 << 1;
/** The completion is a notification: the kernel holds the buffer no more. */
export const IORING_CQE_F_NOTIF = 1 << 3;

/** What io_uring_enter(2) and io_uring_register(2) are asked for. */
export const IORING_ENTER_GETEVENTS = 1;
export const IORING_REGISTER_BUFFERS = 0;
export const IORING_REGISTER_PROBE = 8;

/** Where in the ring's descriptor the mappings are. */
export const IORING_OFF_SQ_RING = 0;
export const IORING_OFF_SQES = 0x10000000;

const PARAMS_SIZE = 120;
const SQ_OFFSETS = 40;
const CQ_OFFSETS = 80;
const FEAT_SINGLE_MMAP = 1;
const SQE_SIZE = 64;
const CQE_SIZE = 16;
const PROBE_HEADER_SIZE = 16;
const PROBE_OP_SIZE = 8;
const OP_SUPPORTED = 1;
/** io_uring_register(2) takes room for at most as many operations as fit in a byte. */
export const PROBE_OPS = 256;

/** Where in the shared memory the fields of the rings are, in bytes. */
export interface RingLayout {
  /** How many entries the submission ring has; not an offset. */
  readonly sqEntries: number;
  /** How many entries the completion ring has; not an offset. */
  readonly cqEntries: number;
  /** Counts what the kernel has taken. */
  readonly sqHead: number;
  /** Counts what was submitted. */
  readonly sqTail: number;
  /** Counts submissions that named no valid entry. */
  readonly sqDropped: number;
  /** The indexes of the entries that are submitted. */
  readonly sqArray: number;
  /** Counts completions that were read. */
  readonly cqHead: number;
  /** Counts completions that the kernel wrote. */
  readonly cqTail: number;
  /** Counts completions for which there was no room. */
  readonly cqOverflow: number;
  /** The completions themselves. */
  readonly cqes: number;
  /** Length of the mapping that holds both rings. */
  readonly ringsLength: number;
  /** Length of the mapping of submission entries. */
  readonly sqesLength: number;
}

/** A zeroed struct io_uring_params, for the kernel to fill. */
export function ringParams(): Bytes {
  return bytes(PARAMS_SIZE);
}

/**
 * Reads a struct io_uring_params that the kernel filled.
 *
 * @throws {RangeError} for a kernel before 5.4, which maps the two rings apart.
 */
export function ringLayout(params: Bytes): RingLayout {
  const view = new DataView(params.buffer, params.byteOffset);
  const u32 = (at: number) => view.getUint32(at, true);
  if ((u32(20) & FEAT_SINGLE_MMAP) === 0) {
    throw new RangeError("Cannot map the rings at once: this kernel's io_uring is older than 5.4");
  }
  const sqEntries = u32(0);
  const cqEntries = u32(4);
  const sqArray = u32(SQ_OFFSETS + 24);
  const cqes = u32(CQ_OFFSETS + 20);
  return {
    sqEntries,
    cqEntries,
    sqHead: u32(SQ_OFFSETS),
    sqTail: u32(SQ_OFFSETS + 4),
    sqDropped: u32(SQ_OFFSETS + 20),
    sqArray,
    cqHead: u32(CQ_OFFSETS),
    cqTail: u32(CQ_OFFSETS + 4),
    cqOverflow: u32(CQ_OFFSETS + 16),
    cqes,
    ringsLength: Math.max(sqArray + 4 * sqEntries, cqes + CQE_SIZE * cqEntries),
    sqesLength: SQE_SIZE * sqEntries,
  };
}

/** How many entries lie between a ring's head and its tail; both count on modulo 2^32. */
export function ringUsed(head: number, tail: number): number {
  return (tail - head) >>> 0;
}

/** The slot of a counter in a ring, whose number of entries is a power of two. */
export function ringSlot(counter: number, entries: number): number {
  return (counter & (entries - 1)) >>> 0;
}

/** A request: struct io_uring_sqe, of which the cases need these fields. */
export interface RingRequest {
  readonly opcode: number;
  readonly fd: number;
  /** What the operation works on: a struct msghdr, an array of struct iovec. */
  readonly address: bigint;
  /** Number of elements there. */
  readonly length: number;
  /** Returned with the completions. */
  readonly userData: bigint;
  /** MSG_... of sendmsg and recvmsg. */
  readonly messageFlags?: number;
}

/** Writes a request into the slot of the submission entries. */
export function writeRequest(entries: Bytes, slot: number, request: RingRequest): void {
  const at = slot * SQE_SIZE;
  entries.fill(0, at, at + SQE_SIZE);
  const view = new DataView(entries.buffer, entries.byteOffset + at, SQE_SIZE);
  view.setUint8(0, request.opcode);
  view.setInt32(4, request.fd, true);
  view.setBigUint64(16, request.address, true);
  view.setUint32(24, request.length, true);
  view.setUint32(28, request.messageFlags ?? 0, true);
  view.setBigUint64(32, request.userData, true);
}

/** A completion: struct io_uring_cqe. */
export interface RingCompletion {
  /** That of the request. */
  readonly userData: bigint;
  /** The result of the operation, or the negated errno. */
  readonly result: number;
  /** IORING_CQE_F_... */
  readonly flags: number;
}

/** Reads the completion in a slot; `completions` begins with the first. */
export function readCompletion(completions: Bytes, slot: number): RingCompletion {
  const view = new DataView(completions.buffer, completions.byteOffset + slot * CQE_SIZE, CQE_SIZE);
  return {
    userData: view.getBigUint64(0, true),
    result: view.getInt32(8, true),
    flags: view.getUint32(12, true),
  };
}

/** A zeroed struct io_uring_probe, with room for all operations. */
export function probe(): Bytes {
  return bytes(PROBE_HEADER_SIZE + PROBE_OPS * PROBE_OP_SIZE);
}

/** Whether a struct io_uring_probe that the kernel filled has an operation. */
export function probeHas(filled: Bytes, opcode: number): boolean {
  const view = new DataView(filled.buffer, filled.byteOffset);
  if (opcode >= view.getUint8(1)) return false;
  const flags = view.getUint16(PROBE_HEADER_SIZE + opcode * PROBE_OP_SIZE + 2, true);
  return (flags & OP_SUPPORTED) !== 0;
}
