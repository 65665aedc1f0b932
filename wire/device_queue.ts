/**
 * A virtqueue from the device's side: takes chains of buffers, and gives them back. It believes
 * nothing of what the driver wrote.
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

/** A chain that the driver offers. */
export interface Chain {
  readonly head: number;
  /** What the device may read, in order. */
  readonly readable: readonly Bytes[];
  /** What it may write, in order. */
  readonly writable: readonly Bytes[];
}

/** How a device serves a queue. */
export interface DeviceQueueOptions {
  /** Whether VIRTIO_F_INDIRECT_DESC was negotiated. */
  readonly indirect?: boolean;
  /** Where the driver's first chain is in the available ring. */
  readonly base?: number;
}

/** The device's side of a queue. */
export class DeviceQueue {
  readonly #memory: GuestMemory;
  readonly #table: DescriptorTable;
  readonly #avail: AvailRing;
  readonly #used: UsedRing;
  readonly #size: number;
  readonly #indirect: boolean;
  #seen: number;
  #done: number;

  /** A queue that the driver has laid out. */
  constructor(
    memory: GuestMemory,
    layout: QueueLayout,
    { indirect = false, base = 0 }: DeviceQueueOptions = {},
  ) {
    this.#memory = memory;
    this.#table = new DescriptorTable(memory, layout.descriptors, layout.size);
    this.#avail = new AvailRing(memory, layout);
    this.#used = new UsedRing(memory, layout);
    this.#size = layout.size;
    this.#indirect = indirect;
    this.#seen = base;
    this.#done = base;
  }

  /** How many chains were taken, modulo 2^16: where one goes on that takes the queue over. */
  get base(): number {
    return this.#seen;
  }

  /** Whether the driver is to be called after a chain was used. */
  get wantsCall(): boolean {
    return !this.#avail.isQuiet;
  }

  /** Asks the driver for no kicks, or for kicks again. */
  setQuiet(quiet: boolean): void {
    this.#used.isQuiet = quiet;
  }

  /**
   * Takes the next chain that the driver offers; undefined where there is none.
   *
   * @throws {QueueError} where what the driver wrote cannot be.
   */
  next(): Chain | undefined {
    const offered = distance(this.#seen, this.#avail.index);
    if (offered === 0) return undefined;
    if (offered > this.#size) {
      throw new QueueError(`${offered} chains are available in a queue of ${this.#size}`);
    }
    const head = this.#avail.read(this.#seen);
    this.#seen = (this.#seen + 1) & 0xffff;
    const chain = this.#walk(head);
    const piece = ({ address, length }: Descriptor) => this.#memory.at(address, length);
    const isWritable = ({ flags }: Descriptor) => (flags & DESC_WRITE) !== 0;
    const firstWritable = chain.findIndex(isWritable);
    const at = firstWritable < 0 ? chain.length : firstWritable;
    if (!chain.slice(at).every(isWritable)) {
      throw new QueueError(`chain ${head}: a buffer to read lies behind one to write`);
    }
    return { head, readable: chain.slice(0, at).map(piece), writable: chain.slice(at).map(piece) };
  }

  /** Gives a chain back. */
  use(head: number, length: number): void {
    this.#used.write(this.#done, { head, length });
    this.#done = (this.#done + 1) & 0xffff;
    this.#used.index = this.#done;
  }

  /** The descriptors of a chain, those of an indirect table in the place of that. */
  #walk(head: number): Descriptor[] {
    const chain = walkTable(this.#table, head);
    const last = chain.at(-1);
    if (chain.slice(0, -1).some(({ flags }) => flags & DESC_INDIRECT)) {
      throw new QueueError(`chain ${head}: a descriptor follows an indirect one`);
    }
    if (last === undefined || !(last.flags & DESC_INDIRECT)) return chain;
    if (!this.#indirect) throw new QueueError(`chain ${head}: indirect was not negotiated`);
    if (last.length === 0 || last.length % DESC_SIZE !== 0) {
      throw new QueueError(`chain ${head}: an indirect table of ${last.length} bytes`);
    }
    const table = new DescriptorTable(this.#memory, last.address, last.length / DESC_SIZE);
    const inner = walkTable(table, 0);
    if (inner.some(({ flags }) => flags & DESC_INDIRECT)) {
      throw new QueueError(`chain ${head}: an indirect table within one`);
    }
    return [...chain.slice(0, -1), ...inner];
  }
}

/** The descriptors of a chain in one table. */
function walkTable(table: DescriptorTable, head: number): Descriptor[] {
  const chain: Descriptor[] = [];
  for (let index = head;;) {
    const descriptor = table.read(index);
    chain.push(descriptor);
    if (!(descriptor.flags & DESC_NEXT)) return chain;
    if (chain.length >= table.size) throw new QueueError(`chain ${head} does not end`);
    index = descriptor.next;
  }
}
