/**
 * The queues of a virtio-vsock device from a guest's side: a raw guest's, whoever the device is.
 *
 * @module
 */
import { POLLIN } from "../sys/constants.ts";
import type { EventFd } from "../sys/eventfd.ts";
import type { Bytes } from "../sys/structs.ts";
import { type Buffer, DriverQueue } from "./driver_queue.ts";
import { gather, type GuestMemory, QueueError, scatter } from "./memory.ts";
import { decodePacket, encodePacket, type Packet } from "./packet.ts";
import { DESC_SIZE, type Descriptor, layoutAt, type QueueLayout } from "./split_queue.ts";

/** The numbers of the queues. */
export const RX_QUEUE = 0;
export const TX_QUEUE = 1;

/** How a guest's queues are made. */
export interface GuestQueuesOptions {
  /** Descriptors of each queue: a power of two. */
  readonly size?: number;
  /** Bytes of each buffer for what it receives, the header among them; 4096 as Linux has it. */
  readonly receiveBuffer?: number;
  /** How many such buffers it offers from the start; as many as the queue has descriptors. */
  readonly receiveBuffers?: number;
}

/** How a queue's two sides notify each other. */
export interface Notifiers {
  /** Tells the device of available buffers. */
  readonly kick: EventFd;
  /** Is told of used ones. */
  readonly call: EventFd;
}

/** How a packet is laid out for the device. */
export interface SendOptions {
  /** The lengths of the buffers, the last of which takes the rest; one buffer if not given. */
  readonly split?: readonly number[];
  /** Puts the descriptors into an indirect table, where that was negotiated. */
  readonly indirect?: boolean;
}

/** Where what is, in a guest's memory that begins with the queues. */
export interface GuestLayout {
  readonly rx: QueueLayout;
  readonly tx: QueueLayout;
  /** Where the buffers for what it receives begin, and those for what it sends. */
  readonly receiveArea: bigint;
  readonly sendArea: bigint;
  readonly end: bigint;
}

/** Room for what is sent and not used yet. */
const SEND_AREA = 1 << 20;
const PAGE = 4096n;
const DEFAULT_SIZE = 128;
const DEFAULT_RECEIVE_BUFFER = 4096;

/** Lays out a guest's memory from an address on. */
export function guestLayout(start: bigint, options: GuestQueuesOptions = {}): GuestLayout {
  const { size = DEFAULT_SIZE, receiveBuffer = DEFAULT_RECEIVE_BUFFER } = options;
  const page = (address: bigint) => (address + PAGE - 1n) & ~(PAGE - 1n);
  const rx = layoutAt(start, size);
  const tx = layoutAt(page(rx.end), size);
  const receiveArea = page(tx.end);
  const sendArea = page(receiveArea + BigInt(size * receiveBuffer));
  return { rx, tx, receiveArea, sendArea, end: sendArea + BigInt(SEND_AREA) };
}

/** A guest's two queues for packets. */
export class GuestQueues {
  readonly #rx: DriverQueue;
  readonly #tx: DriverQueue;
  readonly #layout: GuestLayout;
  readonly #notify: { readonly rx: Notifiers; readonly tx: Notifiers };
  readonly #receiveBuffer: number;
  /** Buffers for what is received that the device does not have. */
  readonly #kept: Buffer[];
  /** Where in the area for what is sent the next packet goes. */
  #at = 0;
  /** How many chains of the TX queue were offered, and used. */
  #sent = 0;
  #used = 0;
  /** Whether buffers go back to the device as soon as they are read. */
  #isOffering = true;

  constructor(
    memory: GuestMemory,
    layout: GuestLayout,
    notify: { readonly rx: Notifiers; readonly tx: Notifiers },
    options: GuestQueuesOptions = {},
  ) {
    const { size = DEFAULT_SIZE, receiveBuffer = DEFAULT_RECEIVE_BUFFER } = options;
    this.#layout = layout;
    this.#notify = notify;
    this.#receiveBuffer = receiveBuffer;
    this.#rx = new DriverQueue(memory, layout.rx);
    this.#tx = new DriverQueue(memory, layout.tx);
    this.#kept = Array.from({ length: size }, (_, i) => ({
      address: layout.receiveArea + BigInt(i * receiveBuffer),
      length: receiveBuffer,
      writable: true,
    }));
    this.offerBuffers(options.receiveBuffers ?? size);
  }

  /** Asks the device for no calls in both queues, or for calls again. */
  setQuiet(quiet: boolean): void {
    this.#rx.setQuiet(quiet);
    this.#tx.setQuiet(quiet);
  }

  /** Whether a packet has come that nobody has received. */
  get isUsed(): boolean {
    return this.#rx.isUsed;
  }

  /** How often the device has called for the RX queue since that was asked last. */
  takeCalls(): number {
    return this.#notify.rx.call.drain();
  }

  /** How many chains of the TX queue the device has used. */
  get used(): number {
    this.#reap();
    return this.#used;
  }

  /** How many more chains fit into the TX queue, of one descriptor each. */
  get room(): number {
    this.#reap();
    return this.#tx.free;
  }

  /** From now on what is read is offered again at once, or not. */
  setOffering(on: boolean): void {
    this.#isOffering = on;
    if (on) this.offerBuffers(this.#kept.length);
  }

  /** Gives the device so many buffers of those that it does not have. */
  offerBuffers(count: number): void {
    for (const buffer of this.#kept.splice(0, count)) this.#rx.offer([buffer]);
    if (this.#rx.wantsKick) this.#notify.rx.kick.signal();
  }

  /** Offers buffers of other lengths for one packet, each a descriptor of one chain. */
  offerChain(lengths: readonly number[]): void {
    const spare = this.#kept.splice(0, lengths.length);
    if (spare.length < lengths.length) throw new QueueError("no buffers are left to receive into");
    this.#rx.offer(spare.map(({ address }, i) => ({
      ...{ address, writable: true },
      length: Math.min(lengths[i] ?? 0, this.#receiveBuffer),
    })));
    if (this.#rx.wantsKick) this.#notify.rx.kick.signal();
  }

  /** Sends a packet. */
  send(packet: Packet, options: SendOptions = {}): void {
    this.sendBytes(encodePacket(packet), options);
  }

  /**
   * Sends bytes, which need be no packet.
   *
   * @throws {QueueError} where too much is under way.
   */
  sendBytes(data: Bytes, { split = [], indirect }: SendOptions = {}): void {
    const tableSize = indirect ? DESC_SIZE * (split.length + 1) : 0;
    const table = this.#room(tableSize + data.length);
    const buffers = cut(table + BigInt(tableSize), data.length, split);
    scatter(data, buffers.map((buffer) => this.#tx.bytesOf(buffer)));
    this.#tx.offer(buffers, indirect ? table : undefined);
    this.#sent++;
    this.kick();
  }

  /**
   * Writes a descriptor of a queue as it is, whatever chain has it, and offers it: for what no driver
   * does. What becomes of it nobody is told.
   */
  offerDescriptor(queue: "rx" | "tx", index: number, descriptor: Descriptor): void {
    const driver = queue === "rx" ? this.#rx : this.#tx;
    driver.writeDescriptor(index, descriptor);
    driver.publish(index);
    this.#notify[queue].kick.signal();
  }

  /** Says that more chains are in the TX queue than it has descriptors. */
  runAway(by: number): void {
    this.#tx.runAway(by);
    this.#notify.tx.kick.signal();
  }

  /** Kicks the device for the TX queue, if it wants that. */
  kick(): void {
    if (this.#tx.wantsKick) this.#notify.tx.kick.signal();
  }

  /**
   * The next packet; undefined where none comes in time.
   *
   * @throws {RangeError} where what comes is too short for one.
   */
  async receive(milliseconds: number): Promise<Packet | undefined> {
    const { call } = this.#notify.rx;
    const deadline = performance.now() + milliseconds;
    for (;;) {
      const packet = this.#receiveNow();
      if (packet !== undefined) return packet;
      const left = Math.ceil(deadline - performance.now());
      if (left <= 0) return undefined;
      await call.poll(POLLIN, left);
      call.drain();
    }
  }

  /** The next packet that is there. */
  #receiveNow(): Packet | undefined {
    const chain = this.#rx.take();
    if (chain === undefined) return undefined;
    const pieces = chain.buffers.map((buffer) => this.#rx.bytesOf(buffer));
    const packet = decodePacket(gather(pieces, chain.written));
    const length = this.#receiveBuffer;
    this.#kept.push(...chain.buffers.map((buffer) => ({ ...buffer, length })));
    if (this.#isOffering) this.offerBuffers(chain.buffers.length);
    return packet;
  }

  /** Room in memory until all that was sent is used. */
  #room(length: number): bigint {
    this.#reap();
    if (this.#used === this.#sent) this.#at = 0;
    const at = this.#at;
    this.#at = (at + length + DESC_SIZE - 1) & -DESC_SIZE;
    if (this.#at > SEND_AREA) throw new QueueError("there is no memory left for what is sent");
    return this.#layout.sendArea + BigInt(at);
  }

  #reap(): void {
    while (this.#tx.take() !== undefined) this.#used++;
  }
}

/** Buffers to be read, one behind the other, of these lengths and one of the rest. */
function cut(start: bigint, length: number, split: readonly number[]): Buffer[] {
  const buffers: Buffer[] = [];
  let at = 0;
  for (const part of [...split, Infinity]) {
    const taken = Math.min(part, length - at);
    if (taken === 0 && part === Infinity) break;
    buffers.push({ address: start + BigInt(at), length: taken, writable: false });
    at += taken;
  }
  return buffers;
}
