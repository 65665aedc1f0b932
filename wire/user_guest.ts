/**
 * A raw guest opposite a device in user space: this process is the front end of vhost-user, as a VMM
 * is, and the driver as well.
 *
 * @module
 */
import type { CallContext } from "../sys/descriptor.ts";
import { EventFd } from "../sys/eventfd.ts";
import { Mapping } from "../sys/memory.ts";
import type { Socket } from "../sys/socket.ts";
import { DataFile } from "../sys/splice.ts";
import { type Bytes, bytes } from "../sys/structs.ts";
import { FEATURE } from "./features.ts";
import {
  guestLayout,
  GuestQueues,
  type GuestQueuesOptions,
  type Notifiers,
  RX_QUEUE,
  TX_QUEUE,
} from "./guest_queues.ts";
import { GuestMemory } from "./memory.ts";
import type { QueueLayout } from "./split_queue.ts";
import {
  F_PROTOCOL_FEATURES,
  payloadOf,
  PROTOCOL_CONFIG,
  receiveMessage,
  REQUEST,
  sendMessage,
  u64Payload,
  VhostUserError,
} from "./vhost_user.ts";

/** How such a guest is made. */
export interface UserGuestOptions extends GuestQueuesOptions {
  /** The features that it accepts; VERSION_1 and SEQPACKET, as far as offered, if not given. */
  readonly features?: bigint;
  readonly context?: CallContext;
}

/** Where the guest has its memory, and where it says that this process has it. */
const GUEST_START = 0x1_0000_0000n;
const USER_START = 0x7000_0000_0000n;

/** A guest; its memory is unmapped when it is disposed of. */
export class UserGuest implements Disposable {
  readonly #stack: DisposableStack;
  /** Its CID, as the device says. */
  readonly cid: number;
  readonly queues: GuestQueues;

  private constructor(stack: DisposableStack, cid: number, queues: GuestQueues) {
    this.#stack = stack;
    this.cid = cid;
    this.queues = queues;
  }

  /**
   * Sets up a device and its queues.
   *
   * @param socket connected to the device; it stays its owner's.
   * @throws {VhostUserError} where the device answers what is no answer.
   */
  static async open(socket: Socket, options: UserGuestOptions = {}): Promise<UserGuest> {
    using stack = new DisposableStack();
    const { context = {} } = options;
    const frontEnd = new FrontEnd(socket);
    const cid = await frontEnd.negotiate(options.features);
    const layout = guestLayout(GUEST_START, options);
    const size = Number(layout.end - GUEST_START);
    using file = await DataFile.inMemory(bytes(size), context);
    const mapping = stack.use(new Mapping(size, { shared: { fd: file.fd, offset: 0 } }));
    await frontEnd.shareMemory(size, file);
    const memory = new GuestMemory([{ start: GUEST_START, bytes: mapping.bytes() }]);
    const notifiers = (): Notifiers => ({
      kick: stack.use(EventFd.open(context)),
      call: stack.use(EventFd.open(context)),
    });
    const notify = { rx: notifiers(), tx: notifiers() };
    await frontEnd.setUpQueue(RX_QUEUE, layout.rx, notify.rx);
    await frontEnd.setUpQueue(TX_QUEUE, layout.tx, notify.tx);
    const queues = new GuestQueues(memory, layout, notify, options);
    return new UserGuest(stack.move(), cid, queues);
  }

  /** Unmaps its memory, and closes what its queues are notified with. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

/** The requests of a front end. */
class FrontEnd {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Agrees on features; gives the CID. */
  async negotiate(wanted = FEATURE.version1 | FEATURE.seqpacket): Promise<number> {
    const offered = await this.#askU64(REQUEST.GET_FEATURES);
    await this.#tell(REQUEST.SET_OWNER, bytes(0));
    if (offered & F_PROTOCOL_FEATURES) {
      await this.#askU64(REQUEST.GET_PROTOCOL_FEATURES);
      await this.#tell(REQUEST.SET_PROTOCOL_FEATURES, u64Payload(PROTOCOL_CONFIG));
    }
    const accepted = offered & (wanted | F_PROTOCOL_FEATURES);
    await this.#tell(REQUEST.SET_FEATURES, u64Payload(accepted));
    const config = await this.#ask(REQUEST.GET_CONFIG, payloadOf([0, 8, 0], [0n]));
    return Number(new DataView(config.buffer).getBigUint64(12, true));
  }

  async shareMemory(size: number, file: DataFile): Promise<void> {
    const region = [GUEST_START, BigInt(size), USER_START, 0n];
    await this.#tell(REQUEST.SET_MEM_TABLE, payloadOf([1, 0], region), [file.fd]);
  }

  async setUpQueue(index: number, layout: QueueLayout, { kick, call }: Notifiers): Promise<void> {
    const user = (address: bigint) => address - GUEST_START + USER_START;
    const addresses = [layout.descriptors, layout.used, layout.avail].map(user);
    await this.#tell(REQUEST.SET_VRING_NUM, payloadOf([index, layout.size]));
    await this.#tell(REQUEST.SET_VRING_BASE, payloadOf([index, 0]));
    await this.#tell(REQUEST.SET_VRING_ADDR, payloadOf([index, 0], [...addresses, 0n]));
    await this.#tell(REQUEST.SET_VRING_CALL, u64Payload(BigInt(index)), [call.fd]);
    await this.#tell(REQUEST.SET_VRING_KICK, u64Payload(BigInt(index)), [kick.fd]);
    await this.#tell(REQUEST.SET_VRING_ENABLE, payloadOf([index, 1]));
  }

  async #tell(request: number, payload: Bytes, fds: readonly number[] = []): Promise<void> {
    await sendMessage(this.#socket, { request, flags: 0, payload, fds });
  }

  async #ask(request: number, payload: Bytes): Promise<Bytes> {
    await this.#tell(request, payload);
    const reply = await receiveMessage(this.#socket);
    if (reply?.request === request) return reply.payload;
    throw new VhostUserError(`the answer to request ${request} is ${reply?.request ?? "the end"}`);
  }

  async #askU64(request: number): Promise<bigint> {
    const { buffer } = await this.#ask(request, bytes(0));
    return new DataView(buffer).getBigUint64(0, true);
  }
}
