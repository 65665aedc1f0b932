/**
 * A device without a host: the back end of a VMM's vhost-user-vsock device, whose queues this
 * process serves by hand. What is tried is the guest's driver.
 *
 * @module
 */
import type { CallContext } from "../sys/descriptor.ts";
import { EventFd } from "../sys/eventfd.ts";
import { call } from "../sys/libc.ts";
import { Mapping } from "../sys/memory.ts";
import type { Socket } from "../sys/socket.ts";
import { type Bytes, bytes } from "../sys/structs.ts";
import { DeviceQueues, type QueueSetUp } from "./device_queues.ts";
import { FEATURE } from "./features.ts";
import { GuestMemory, type Region } from "./memory.ts";
import {
  F_PROTOCOL_FEATURES,
  FLAG_NEED_REPLY,
  FLAG_REPLY,
  payloadOf,
  PROTOCOL_CONFIG,
  PROTOCOL_REPLY_ACK,
  receiveMessage,
  REQUEST,
  sendMessage,
  u64Payload,
  VhostUserError,
  type VhostUserMessage,
  VRING_NO_FD,
} from "./vhost_user.ts";

/** How a raw device is made. */
export interface RawDeviceOptions {
  /** guest_cid of its configuration. */
  readonly cid: number;
  /** The features that it offers. */
  readonly features?: bigint;
  /** How many queues the VMM hands over: QEMU keeps the third one, that of events. */
  readonly queues?: 2 | 3;
  readonly context?: CallContext;
}

/** What the VMM has told of a queue so far. */
interface QueueState {
  size?: number;
  base?: number;
  /** Addresses as the VMM has them. */
  addresses?: { readonly descriptors: bigint; readonly used: bigint; readonly avail: bigint };
  kick?: EventFd;
  call?: EventFd;
}

/** A region of memory, and where the VMM has it. */
interface UserRegion extends Region {
  readonly user: bigint;
}

const OFFERED = FEATURE.version1 | FEATURE.seqpacket | FEATURE.indirect;

/** A device; what the VMM shared with it is unmapped and closed when it is disposed of. */
export class RawDevice implements Disposable {
  readonly #options: RawDeviceOptions;
  readonly #socket: Socket;
  readonly #stack = new DisposableStack();
  readonly #states: readonly QueueState[];
  #regions: readonly UserRegion[] = [];
  #accepted = 0n;
  #ready = Promise.withResolvers<DeviceQueues>();

  /** @param socket connected to the VMM; it stays its owner's. */
  constructor(socket: Socket, options: RawDeviceOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#states = Array.from({ length: options.queues ?? 2 }, () => ({}));
  }

  /** The features that the driver accepted. */
  get accepted(): bigint {
    return this.#accepted;
  }

  /** Its queues, once the VMM has set up all that it needs. */
  get queues(): Promise<DeviceQueues> {
    return this.#ready.promise;
  }

  /**
   * Does what the VMM asks for, until that closes the connection.
   *
   * @throws {VhostUserError} where it asks for what is unknown.
   */
  async serve(): Promise<void> {
    for (let message; (message = await receiveMessage(this.#socket)) !== undefined;) {
      const reply = this.#answer(message);
      const { request, flags } = message;
      const isAsked = (flags & FLAG_NEED_REPLY) !== 0;
      const payload = reply ?? (isAsked ? u64Payload(0n) : undefined);
      if (payload === undefined) continue;
      await sendMessage(this.#socket, { request, flags: FLAG_REPLY, payload, fds: [] });
    }
  }

  /** Unmaps and closes what it was given. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }

  /** Does what a message asks for; gives the reply where it has one. */
  #answer({ request, payload, fds }: VhostUserMessage): Bytes | undefined {
    const view = new DataView(payload.buffer);
    switch (request) {
      case REQUEST.GET_FEATURES:
        return u64Payload((this.#options.features ?? OFFERED) | F_PROTOCOL_FEATURES);
      case REQUEST.GET_PROTOCOL_FEATURES:
        return u64Payload(PROTOCOL_CONFIG | PROTOCOL_REPLY_ACK);
      case REQUEST.GET_QUEUE_NUM:
        return u64Payload(BigInt(this.#states.length));
      case REQUEST.GET_CONFIG:
        return this.#config(payload);
      case REQUEST.GET_VRING_BASE:
        return payloadOf([
          view.getUint32(0, true),
          this.#states[view.getUint32(0, true)]?.base ?? 0,
        ]);
      case REQUEST.SET_FEATURES:
        this.#accepted = view.getBigUint64(0, true);
        return undefined;
      case REQUEST.SET_MEM_TABLE:
        this.#regions = this.#mapRegions(view, fds);
        return undefined;
      case REQUEST.SET_OWNER:
      case REQUEST.SET_PROTOCOL_FEATURES:
      case REQUEST.SET_VRING_ENABLE:
      case REQUEST.SET_CONFIG:
        return undefined;
      default:
        this.#setVring(request, view, fds);
        this.#begin();
        return undefined;
    }
  }

  /** Takes what a message says of one queue. */
  #setVring(request: number, view: DataView, fds: readonly number[]): void {
    const index = view.getUint8(0);
    const state = this.#states[index];
    if (state === undefined) throw new VhostUserError(`request ${request} for queue ${index}`);
    switch (request) {
      case REQUEST.SET_VRING_NUM:
        state.size = view.getUint32(4, true);
        return;
      case REQUEST.SET_VRING_BASE:
        state.base = view.getUint32(4, true);
        return;
      case REQUEST.SET_VRING_ADDR:
        state.addresses = {
          descriptors: view.getBigUint64(8, true),
          used: view.getBigUint64(16, true),
          avail: view.getBigUint64(24, true),
        };
        return;
      case REQUEST.SET_VRING_KICK:
        state.kick = this.#eventOf(view, fds);
        return;
      case REQUEST.SET_VRING_CALL:
        state.call = this.#eventOf(view, fds);
        return;
      case REQUEST.SET_VRING_ERR:
        this.#eventOf(view, fds);
        return;
      default:
        throw new VhostUserError(`request ${request} is unknown`);
    }
  }

  /** What a message brings to notify with; without it nobody is notified. */
  #eventOf(view: DataView, fds: readonly number[]): EventFd {
    const [fd] = fds;
    const { context } = this.#options;
    const isMissing = fd === undefined || (view.getBigUint64(0, true) & VRING_NO_FD) !== 0n;
    return this.#stack.use(isMissing ? EventFd.open(context) : EventFd.received(fd, context));
  }

  /** The configuration that is asked for: guest_cid. */
  #config(payload: Bytes): Bytes {
    const reply = payload.slice();
    const view = new DataView(payload.buffer);
    const [offset, size] = [view.getUint32(0, true), view.getUint32(4, true)];
    const config = bytes(Math.max(8, offset + size));
    new DataView(config.buffer).setBigUint64(0, BigInt(this.#options.cid), true);
    reply.set(config.subarray(offset, offset + size).subarray(0, reply.length - 12), 12);
    return reply;
  }

  #mapRegions(view: DataView, fds: readonly number[]): UserRegion[] {
    const count = view.getUint32(0, true);
    if (count !== fds.length) throw new VhostUserError(`${count} regions, ${fds.length} files`);
    return fds.map((fd, i) => {
      const at = 8 + 32 * i;
      const [start = 0n, size = 0n, user = 0n, offset = 0n] = [0, 8, 16, 24].map((field) =>
        view.getBigUint64(at + field, true)
      );
      const [length, skipped] = [Number(size), Number(offset)];
      try {
        const shared = { fd, offset: 0 };
        const mapping = this.#stack.use(new Mapping(length + skipped, { shared }));
        return { start, user, bytes: mapping.bytes(skipped, length) };
      } finally {
        call("close", fd);
      }
    });
  }

  /** Begins once it knows all of its queues. */
  #begin(): void {
    const memory = new GuestMemory(this.#regions);
    const [rx, tx, event] = this.#states.map((state) => this.#setUpOf(state));
    const isMissing = event === undefined && this.#states.length === 3;
    if (rx === undefined || tx === undefined || isMissing) return;
    this.#ready.resolve(
      new DeviceQueues(memory, { rx, tx, ...(event === undefined ? {} : { event }) }),
    );
  }

  #setUpOf({ size, base = 0, addresses, kick, call }: QueueState): QueueSetUp | undefined {
    if (size === undefined || addresses === undefined || !kick || !call) return undefined;
    const layout = {
      size,
      descriptors: this.#guestAddress(addresses.descriptors),
      avail: this.#guestAddress(addresses.avail),
      used: this.#guestAddress(addresses.used),
    };
    const indirect = (this.#accepted & FEATURE.indirect) !== 0n;
    return { layout, notify: { kick, call }, base, indirect };
  }

  /** Where the guest has what the VMM has at an address. */
  #guestAddress(address: bigint): bigint {
    const region = this.#regions.find(({ user, bytes }) =>
      address >= user && address < user + BigInt(bytes.length)
    );
    if (region === undefined) throw new VhostUserError(`0x${address.toString(16)} is not shared`);
    return address - region.user + region.start;
  }
}
