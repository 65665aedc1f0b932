/**
 * Where the parts of a split virtqueue lie, and what is in them (virtio 1.3, 2.7). All numbers are
 * little-endian, as on the machines that the tool runs on.
 *
 * @module
 */
import { type GuestMemory, QueueError } from "./memory.ts";

/** Flags of a descriptor. */
export const DESC_NEXT = 1;
export const DESC_WRITE = 2;
export const DESC_INDIRECT = 4;

/** Flag of the available ring: the driver needs no call when buffers are used. */
const AVAIL_NO_INTERRUPT = 1;
/** Flag of the used ring: the device needs no kick when buffers are available. */
const USED_NO_NOTIFY = 1;

/** struct virtq_desc, in bytes. */
export const DESC_SIZE = 16;
/** struct virtq_used_elem, in bytes. */
const USED_ELEM_SIZE = 8;
/** flags and idx, before the elements of either ring; in bytes. */
const RING_HEADER = 4;
/** used_event or avail_event behind them; in bytes. */
const RING_TRAILER = 2;

/** One descriptor. */
export interface Descriptor {
  readonly address: bigint;
  readonly length: number;
  readonly flags: number;
  readonly next: number;
}

/** Where a queue is in a guest's memory. */
export interface QueueLayout {
  /** How many descriptors it has: a power of two. */
  readonly size: number;
  /** The addresses of its three parts. */
  readonly descriptors: bigint;
  readonly avail: bigint;
  readonly used: bigint;
}

/** A queue laid out from an address on, which is a multiple of 16, and where it ends. */
export function layoutAt(start: bigint, size: number): QueueLayout & { readonly end: bigint } {
  const avail = start + BigInt(DESC_SIZE * size);
  const unaligned = avail + BigInt(availSize(size));
  const used = (unaligned + 3n) & ~3n;
  const end = used + BigInt(usedSize(size));
  return { size, descriptors: start, avail, used, end };
}

function availSize(size: number): number {
  return RING_HEADER + 2 * size + RING_TRAILER;
}

function usedSize(size: number): number {
  return RING_HEADER + USED_ELEM_SIZE * size + RING_TRAILER;
}

/** A table of descriptors: the queue's own, or an indirect one. */
export class DescriptorTable {
  /** How many it has. */
  readonly size: number;
  readonly #view: DataView;

  constructor(memory: GuestMemory, address: bigint, size: number) {
    const { buffer, byteOffset, byteLength } = memory.at(address, DESC_SIZE * size);
    this.size = size;
    this.#view = new DataView(buffer, byteOffset, byteLength);
  }

  /** @throws {QueueError} where it has no such descriptor. */
  read(index: number): Descriptor {
    if (index >= this.size) throw new QueueError(`descriptor ${index} of ${this.size}`);
    const at = DESC_SIZE * index;
    return {
      address: this.#view.getBigUint64(at, true),
      length: this.#view.getUint32(at + 8, true),
      flags: this.#view.getUint16(at + 12, true),
      next: this.#view.getUint16(at + 14, true),
    };
  }

  write(index: number, { address, length, flags, next }: Descriptor): void {
    const at = DESC_SIZE * index;
    this.#view.setBigUint64(at, address, true);
    this.#view.setUint32(at + 8, length, true);
    this.#view.setUint16(at + 12, flags, true);
    this.#view.setUint16(at + 14, next, true);
  }
}

/** What a ring has beside its elements. The other side writes one of these and reads the other. */
class Ring {
  protected readonly view: DataView;
  readonly #words: Uint16Array;
  readonly size: number;

  constructor(memory: GuestMemory, address: bigint, length: number, size: number) {
    const { buffer, byteOffset } = memory.at(address, length);
    this.size = size;
    this.view = new DataView(buffer, byteOffset, length);
    this.#words = new Uint16Array(buffer, byteOffset, length >> 1);
  }

  /** How many elements were ever put into it, modulo 2^16. All before that are there to be read. */
  get index(): number {
    return Atomics.load(this.#words, 1);
  }

  /** What was put into it before comes before it for the other side. */
  set index(index: number) {
    Atomics.store(this.#words, 1, index);
  }

  protected get flags(): number {
    return Atomics.load(this.#words, 0);
  }

  protected set flags(flags: number) {
    Atomics.store(this.#words, 0, flags);
  }
}

/** The available ring: what the driver offers. */
export class AvailRing extends Ring {
  constructor(memory: GuestMemory, { avail, size }: QueueLayout) {
    super(memory, avail, availSize(size), size);
  }

  /** Whether the driver wants no call. */
  get isQuiet(): boolean {
    return (this.flags & AVAIL_NO_INTERRUPT) !== 0;
  }

  set isQuiet(quiet: boolean) {
    this.flags = quiet ? AVAIL_NO_INTERRUPT : 0;
  }

  read(index: number): number {
    return this.view.getUint16(RING_HEADER + 2 * (index % this.size), true);
  }

  write(index: number, head: number): void {
    this.view.setUint16(RING_HEADER + 2 * (index % this.size), head, true);
  }
}

/** What the device says of a chain that it is done with. */
export interface UsedElement {
  /** The chain's first descriptor. */
  readonly head: number;
  /** How much the device wrote into the chain, in bytes. */
  readonly length: number;
}

/** The used ring: what the device is done with. */
export class UsedRing extends Ring {
  constructor(memory: GuestMemory, { used, size }: QueueLayout) {
    super(memory, used, usedSize(size), size);
  }

  /** Whether the device wants no kick. */
  get isQuiet(): boolean {
    return (this.flags & USED_NO_NOTIFY) !== 0;
  }

  set isQuiet(quiet: boolean) {
    this.flags = quiet ? USED_NO_NOTIFY : 0;
  }

  read(index: number): UsedElement {
    const at = RING_HEADER + USED_ELEM_SIZE * (index % this.size);
    return { head: this.view.getUint32(at, true), length: this.view.getUint32(at + 4, true) };
  }

  write(index: number, { head, length }: UsedElement): void {
    const at = RING_HEADER + USED_ELEM_SIZE * (index % this.size);
    this.view.setUint32(at, head, true);
    this.view.setUint32(at + 4, length, true);
  }
}

/** How many elements one index is ahead of another, modulo 2^16. */
export function distance(from: number, to: number): number {
  return (to - from) & 0xffff;
}
