/**
 * A virtqueue from the driver's side: offers chains of buffers, and takes them back.
 *
 * @module
 */
import type { Bytes } from "../sys/structs.ts";
import { type GuestMemory, QueueError } from "./memory.ts";
import {
  AvailRing,
  DESC_INDIRECT,
  DESC_NEXT,
  DESC_SIZE,
  DESC_WRITE,
  type Descriptor,
  DescriptorTable,
  distance,
  type QueueLayout,
  UsedRing,
} from "./split_queue.ts";

/** A buffer to offer. */
export interface Buffer {
  readonly address: bigint;
  readonly length: number;
  /** Whether the device writes it, instead of reading it. */
  readonly writable: boolean;
}

/** A chain that the device is done with. */
export interface UsedChain {
  readonly head: number;
  readonly buffers: readonly Buffer[];
  /** How much the device says that it wrote, in bytes. */
  readonly written: number;
}

/** A chain under way: which descriptors it takes, and what it is of. */
interface Offered {
  readonly indexes: readonly number[];
  readonly buffers: readonly Buffer[];
}

/** The driver's side of a queue. */
export class DriverQueue {
  readonly #memory: GuestMemory;
  readonly #table: DescriptorTable;
  readonly #avail: AvailRing;
  readonly #used: UsedRing;
  readonly #free: number[];
  readonly #offered = new Map<number, Offered>();
  #offers = 0;
  #taken = 0;

  /** A queue in memory that is all zero there. */
  constructor(memory: GuestMemory, layout: QueueLayout) {
    this.#memory = memory;
    this.#table = new DescriptorTable(memory, layout.descriptors, layout.size);
    this.#avail = new AvailRing(memory, layout);
    this.#used = new UsedRing(memory, layout);
    this.#free = Array.from({ length: layout.size }, (_, i) => i);
  }

  /** How many descriptors no chain takes. */
  get free(): number {
    return this.#free.length;
  }

  /** Whether the device is done with a chain that was not taken yet. */
  get isUsed(): boolean {
    return distance(this.#taken, this.#used.index) !== 0;
  }

  /** Whether the device is to be kicked after an offer. */
  get wantsKick(): boolean {
    return !this.#used.isQuiet;
  }

  /** Asks the device for no calls, or for calls again. */
  setQuiet(quiet: boolean): void {
    this.#avail.isQuiet = quiet;
  }

  /**
   * Offers a chain: a descriptor for each buffer, or one for a table of them all.
   *
   * @param table the address for an indirect table, where that was negotiated.
   * @returns its head.
   * @throws {QueueError} where too few descriptors are free.
   */
  offer(buffers: readonly Buffer[], table?: bigint): number {
    const needed = table === undefined ? buffers.length : 1;
    if (needed === 0 || needed > this.#free.length) {
      throw new QueueError(`a chain of ${needed}: ${this.#free.length} descriptors are free`);
    }
    const indexes = this.#free.splice(0, needed);
    if (table === undefined) writeChain(this.#table, indexes, buffers);
    else this.#writeIndirect(indexes, buffers, table);
    const [head = 0] = indexes;
    this.#offered.set(head, { indexes, buffers });
    this.publish(head);
    return head;
  }

  /** Writes a descriptor as it is, whatever chain has it: for what no driver does. */
  writeDescriptor(index: number, descriptor: Descriptor): void {
    this.#table.write(index, descriptor);
  }

  /** Puts a head into the available ring, whatever it is. */
  publish(head: number): void {
    this.#avail.write(this.#offers, head);
    this.#offers = (this.#offers + 1) & 0xffff;
    this.#avail.index = this.#offers;
  }

  /** Says that so many more chains are available than there are: what no driver does. */
  runAway(by: number): void {
    this.#offers = (this.#offers + by) & 0xffff;
    this.#avail.index = this.#offers;
  }

  /** Takes the next chain that the device is done with. */
  take(): UsedChain | undefined {
    if (!this.isUsed) return undefined;
    const { head, length } = this.#used.read(this.#taken);
    this.#taken = (this.#taken + 1) & 0xffff;
    const offered = this.#offered.get(head);
    if (offered === undefined) throw new QueueError(`chain ${head} came back, and was not offered`);
    this.#offered.delete(head);
    this.#free.push(...offered.indexes);
    return { head, buffers: offered.buffers, written: length };
  }

  /** The memory of a buffer. */
  bytesOf({ address, length }: Buffer): Bytes {
    return this.#memory.at(address, length);
  }

  #writeIndirect(indexes: readonly number[], buffers: readonly Buffer[], address: bigint): void {
    const table = new DescriptorTable(this.#memory, address, buffers.length);
    writeChain(table, [...buffers.keys()], buffers);
    const length = DESC_SIZE * buffers.length;
    for (const index of indexes) {
      this.#table.write(index, { address, length, flags: DESC_INDIRECT, next: 0 });
    }
  }
}

function writeChain(
  table: DescriptorTable,
  indexes: readonly number[],
  buffers: readonly Buffer[],
): void {
  buffers.forEach(({ address, length, writable }, i) => {
    const next = indexes[i + 1];
    const flags = (writable ? DESC_WRITE : 0) | (next === undefined ? 0 : DESC_NEXT);
    table.write(indexes[i] ?? 0, { address, length, flags, next: next ?? 0 });
  });
}
