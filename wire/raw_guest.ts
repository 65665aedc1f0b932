/**
 * A guest without a machine: a device of /dev/vhost-vsock whose queues this process fills by hand.
 * What is tried is the host's kernel.
 *
 * @module
 */
import { VhostVsock } from "../sys/dev_vhost_vsock.ts";
import type { CallContext } from "../sys/descriptor.ts";
import { SysError } from "../sys/errno.ts";
import { EventFd } from "../sys/eventfd.ts";
import { Mapping } from "../sys/memory.ts";
import { FEATURE } from "./features.ts";
import {
  type GuestLayout,
  guestLayout,
  GuestQueues,
  type GuestQueuesOptions,
  RX_QUEUE,
  TX_QUEUE,
} from "./guest_queues.ts";
import { GuestMemory } from "./memory.ts";

/** How a raw guest is made. */
export interface RawGuestOptions extends GuestQueuesOptions {
  /** Its CID; one that is not in use where it is not given. */
  readonly cid?: number;
  /** The features that it accepts; VERSION_1 and SEQPACKET if not given. */
  readonly features?: bigint;
  /** Whether its device runs from the start. */
  readonly running?: boolean;
  readonly context?: CallContext;
  readonly vhostClass?: typeof VhostVsock;
}

/** CIDs that are tried, one after the other from any on: far from those that people give to VMs. */
const FIRST_CID = 0x4000_0000;
const CIDS = 0x1000_0000;
/** How many are tried. */
const TRIES = 100;

/** A guest; its device is closed and its memory unmapped when it is disposed of. */
export class RawGuest implements Disposable {
  readonly device: VhostVsock;
  /** Its CID. */
  readonly cid: number;
  /** Its queues. */
  readonly queues: GuestQueues;
  /** What it owns; undefined while it is made. */
  #owned: DisposableStack | undefined;

  private constructor(stack: DisposableStack, options: RawGuestOptions) {
    const { context = {}, vhostClass = VhostVsock, running = true } = options;
    this.device = stack.use(vhostClass.open(context));
    this.device.setOwner();
    this.device.setFeatures(options.features ?? FEATURE.version1 | FEATURE.seqpacket);
    this.cid = takeCid(this.device, options.cid);
    // Guest addresses begin at 0, as a machine's do.
    const layout = guestLayout(0n, options);
    const mapping = stack.use(new Mapping(Number(layout.end)));
    const { address, length: size } = mapping;
    this.device.setMemory([{ guest: 0n, size, address }]);
    const notify = {
      rx: this.#setUpQueue(stack, RX_QUEUE, layout, address, context),
      tx: this.#setUpQueue(stack, TX_QUEUE, layout, address, context),
    };
    const memory = new GuestMemory([{ start: 0n, bytes: mapping.bytes() }]);
    this.queues = new GuestQueues(memory, layout, notify, options);
    if (running) this.device.setRunning(true);
  }

  /**
   * Makes a guest.
   *
   * @throws {SysError} ENOENT or EACCES without /dev/vhost-vsock, EADDRINUSE where the CID is
   *   another guest's, ...
   */
  static open(options: RawGuestOptions = {}): RawGuest {
    using stack = new DisposableStack();
    const guest = new this(stack, options);
    guest.#owned = stack.move();
    return guest;
  }

  /** Closes its device, as a VMM that ends does. */
  [Symbol.dispose](): void {
    this.#owned?.dispose();
  }

  #setUpQueue(
    stack: DisposableStack,
    queue: number,
    layout: GuestLayout,
    address: bigint,
    context: CallContext,
  ) {
    const { size, descriptors, avail, used } = queue === RX_QUEUE ? layout.rx : layout.tx;
    const kick = stack.use(EventFd.open(context));
    const call = stack.use(EventFd.open(context));
    this.device.setVringSize(queue, size);
    this.device.setVringBase(queue, 0);
    this.device.setVringAddresses(queue, {
      descriptors: address + descriptors,
      avail: address + avail,
      used: address + used,
    });
    this.device.setVringKick(queue, kick);
    this.device.setVringCall(queue, call);
    return { kick, call };
  }
}

/** Gives a device a CID, and says which. */
function takeCid(device: VhostVsock, wanted: number | undefined): number {
  if (wanted !== undefined) {
    device.setGuestCid(wanted);
    return wanted;
  }
  const [drawn = 0] = crypto.getRandomValues(new Uint32Array(1));
  for (let tries = 1;; tries++) {
    const cid = FIRST_CID + (drawn + tries) % CIDS;
    try {
      device.setGuestCid(cid);
      return cid;
    } catch (error) {
      const isTaken = error instanceof SysError && error.code === "EADDRINUSE";
      if (!isTaken || tries === TRIES) throw error;
    }
  }
}
