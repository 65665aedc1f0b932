/**
 * The queues of a virtio-vsock device from the device's side: a raw device's, whoever the driver is.
 *
 * @module
 */
import { POLLIN } from "../sys/constants.ts";
import type { Bytes } from "../sys/structs.ts";
import { type Chain, DeviceQueue, type DeviceQueueOptions } from "./device_queue.ts";
import type { Notifiers } from "./guest_queues.ts";
import { gather, type GuestMemory, QueueError, scatter } from "./memory.ts";
import { decodePacket, encodePacket, type Packet } from "./packet.ts";
import type { QueueLayout } from "./split_queue.ts";

/** What a device is told of a queue before it may use it. */
export interface QueueSetUp extends DeviceQueueOptions {
  readonly layout: QueueLayout;
  readonly notify: Notifiers;
}

/** One queue of a device: chains are waited for, and given back. */
export class ServedQueue {
  readonly #queue: DeviceQueue;
  readonly #notify: Notifiers;

  constructor(memory: GuestMemory, { layout, notify, ...options }: QueueSetUp) {
    this.#queue = new DeviceQueue(memory, layout, options);
    this.#notify = notify;
  }

  /** Where one goes on that takes the queue over. */
  get base(): number {
    return this.#queue.base;
  }

  /** Asks the driver for no kicks, or for kicks again. */
  setQuiet(quiet: boolean): void {
    this.#queue.setQuiet(quiet);
  }

  /**
   * The next chain; undefined where none comes in time.
   *
   * @throws {QueueError} where what the driver wrote cannot be.
   */
  async take(milliseconds: number): Promise<Chain | undefined> {
    const { kick } = this.#notify;
    const deadline = performance.now() + milliseconds;
    for (;;) {
      const chain = this.#queue.next();
      if (chain !== undefined) return chain;
      const left = Math.ceil(deadline - performance.now());
      if (left <= 0) return undefined;
      await kick.poll(POLLIN, left);
      kick.drain();
    }
  }

  /** Gives a chain back, and calls the driver if it wants that. */
  use({ head }: Chain, written: number): void {
    this.#queue.use(head, written);
    if (this.#queue.wantsCall) this.#notify.call.signal();
  }
}

/** A device's queues. */
export class DeviceQueues {
  readonly #rx: ServedQueue;
  readonly #tx: ServedQueue;
  readonly #event: ServedQueue | undefined;

  constructor(
    memory: GuestMemory,
    queues: { readonly rx: QueueSetUp; readonly tx: QueueSetUp; readonly event?: QueueSetUp },
  ) {
    this.#rx = new ServedQueue(memory, queues.rx);
    this.#tx = new ServedQueue(memory, queues.tx);
    this.#event = queues.event && new ServedQueue(memory, queues.event);
  }

  /**
   * The next packet that the driver sends; undefined where none comes in time.
   *
   * @throws {RangeError} where what comes is too short for one.
   */
  async receive(milliseconds: number): Promise<Packet | undefined> {
    const chain = await this.#tx.take(milliseconds);
    if (chain === undefined) return undefined;
    const encoded = gather(chain.readable);
    this.#tx.use(chain, 0);
    return decodePacket(encoded);
  }

  /**
   * Sends a packet to the driver.
   *
   * @throws {QueueError} where no buffer comes in time that has room for it.
   */
  async send(packet: Packet, milliseconds: number): Promise<void> {
    await fill(this.#rx, encodePacket(packet), milliseconds);
  }

  /** Tells the driver of an event, by its id: 0 is TRANSPORT_RESET. */
  async sendEvent(id: number, milliseconds: number): Promise<void> {
    if (this.#event === undefined) throw new QueueError("there is no event queue");
    await fill(this.#event, new Uint8Array(Uint32Array.of(id).buffer), milliseconds);
  }
}

/** Writes bytes into the next chain of a queue. */
async function fill(queue: ServedQueue, data: Bytes, milliseconds: number): Promise<void> {
  const chain = await queue.take(milliseconds);
  if (chain === undefined) throw new QueueError(`no buffer came within ${milliseconds} ms`);
  const written = scatter(data, chain.writable);
  queue.use(chain, written);
  if (written === data.length) return;
  throw new QueueError(`a buffer has room for ${written} bytes of ${data.length}`);
}
