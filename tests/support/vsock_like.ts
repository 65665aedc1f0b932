/**
 * Sockets over AF_UNIX that behave as AF_VSOCK does where the two differ, so that every case of the
 * catalogue can pass without AF_VSOCK, and a socket that errs on purpose can be derived from them.
 *
 * @module
 */
import {
  AF_VSOCK,
  MSG_EOR,
  POLLIN,
  POLLRDNORM,
  SHUT_RDWR,
  SIOCINQ,
  SO_RCVLOWAT,
  SO_SNDBUF,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  SOL_SOCKET,
} from "../../sys/constants.ts";
import { call } from "../../sys/libc.ts";
import type { CallContext } from "../../sys/descriptor.ts";
import { type RawMemory, type ReceivedMessage, Socket, type SocketType } from "../../sys/socket.ts";
import {
  type Address,
  type AddressFamily,
  type Bytes,
  bytes,
  type IoVector,
  u64,
} from "../../sys/structs.ts";
import { failedWith, failure } from "../mutations/mutation.ts";

const DEFAULT_BUFFER = 262_144n;
/** How long a closed socket may live on in a process that was forked and calls exec, in ms. */
const MAX_HELD = 2000;
const READABLE = POLLIN | POLLRDNORM;
const MAX_MESSAGE = 64 * 1024;
/** The call that receives ahead, as a trace has it: no case is to await that one. */
const AHEAD = new RegExp(`^recvmsg\\(\\d+, ${1 + MAX_MESSAGE},`);

/** A socket of AF_UNIX with the errnos, options and buffers of AF_VSOCK. */
export class VsockLike extends Socket {
  readonly #options = new Map([
    [SO_VM_SOCKETS_BUFFER_SIZE, DEFAULT_BUFFER],
    [SO_VM_SOCKETS_BUFFER_MAX_SIZE, DEFAULT_BUFFER],
  ]);
  /** Messages received ahead of time: AF_UNIX queues a few only, whatever its buffer's size. */
  #inbox: Promise<{ data: Bytes; flags: number }>[] | undefined;

  protected constructor(
    fd: number,
    family: AddressFamily,
    type: SocketType,
    context: CallContext,
  ) {
    super(fd, family, type, {
      ...context,
      begun: (call, end) => AHEAD.test(call) || context.begun?.(call, end),
    });
  }

  /** Takes an address again as soon as it is free: another test's process may hold it until exec. */
  override bind(address: Address): void {
    for (const deadline = performance.now() + MAX_HELD;;) {
      try {
        return super.bind(address);
      } catch (error) {
        const held = failedWith(error, "EADDRINUSE");
        if (!held || performance.now() > deadline) throw error;
        call("usleep", 1000);
      }
    }
  }

  override async connect(address: Address): Promise<void> {
    // A packet counts with all that it costs, which AF_VSOCK's credit does not.
    if (this.type === "stream") this.setInt(SOL_SOCKET, SO_SNDBUF, Number(DEFAULT_BUFFER));
    try {
      await super.connect(address);
    } catch (error) {
      if (failedWith(error, "ECONNREFUSED")) throw failure(error.call, "ECONNRESET");
      throw error;
    }
  }

  /** AF_UNIX keeps SO_RCVLOWAT and does not heed it. */
  override async poll(events: number = POLLIN, milliseconds = -1): Promise<number> {
    const lowWater = new DataView(super.getsockopt(SOL_SOCKET, SO_RCVLOWAT, 4).buffer);
    const asked = events & READABLE;
    if (lowWater.getInt32(0, true) <= 1 || asked === 0) {
      return await super.poll(events, milliseconds);
    }
    const deadline = performance.now() + (milliseconds < 0 ? Infinity : milliseconds);
    for (;;) {
      const enough = super.ioctlInt(SIOCINQ) >= lowWater.getInt32(0, true);
      const others = await super.poll(events & ~READABLE, enough ? 0 : 1);
      if (enough || others !== 0) return others | (enough ? asked : 0);
      if (performance.now() >= deadline) return 0;
    }
  }

  override setsockopt(level: number, option: number, value: Bytes): void {
    if (level !== AF_VSOCK) return super.setsockopt(level, option, value);
    this.#options.set(option, new DataView(value.buffer).getBigUint64(0, true));
    // From here on messages carry a byte in front for MSG_EOR, which AF_UNIX does not pass on.
    if (this.type === "seqpacket") this.#inbox ??= [this.#receiveAhead()];
  }

  override getsockopt(level: number, option: number, size: number): Bytes {
    if (level !== AF_VSOCK) return super.getsockopt(level, option, size);
    return u64(this.#options.get(option) ?? 0n);
  }

  override async send(data: Bytes | RawMemory, flags = 0): Promise<number> {
    if (this.#inbox === undefined) return await super.send(data, flags);
    return await super.sendmsg([Uint8Array.of(flags & MSG_EOR), data], flags & ~MSG_EOR) - 1;
  }

  override async recvmsg(
    vectors: readonly IoVector[],
    flags = 0,
    control?: Bytes,
  ): Promise<ReceivedMessage> {
    if (this.#inbox === undefined) return await super.recvmsg(vectors, flags, control);
    const message = await this.#inbox.shift();
    const [into] = vectors;
    if (message === undefined || !(into instanceof Uint8Array)) throw new TypeError("Not foreseen");
    const part = message.data.subarray(0, into.length);
    into.set(part);
    return { length: part.length, flags: message.flags, control: [] };
  }

  override [Symbol.dispose](): void {
    // The call that receives ahead holds the connection open beyond close(2).
    if (this.#inbox !== undefined && this.fd >= 0) this.shutdown(SHUT_RDWR);
    super[Symbol.dispose]();
  }

  async #receiveAhead(): Promise<{ data: Bytes; flags: number }> {
    const buffer = bytes(1 + MAX_MESSAGE);
    const { length } = await super.recvmsg([buffer]);
    if (length > 0) {
      const following = this.#receiveAhead();
      // Whoever takes it from the inbox sees how it failed.
      following.catch(() => {});
      this.#inbox?.push(following);
    }
    return { data: buffer.slice(1, Math.max(1, length)), flags: buffer[0] ?? 0 };
  }
}
