/**
 * The host's half of a vsock device in user space: an AF_UNIX stream socket on which `CONNECT port`
 * asks for a connection to the guest, and beside it one socket for each port that the guest may
 * connect to. Firecracker (docs/vsock.md), Cloud Hypervisor, crosvm and vhost-device-vsock have it.
 *
 * @module
 */
import { AF_UNIX, SOCK_CLOEXEC, VMADDR_CID_ANY, VMADDR_PORT_ANY } from "./constants.ts";
import { type CallContext, TimedSysError } from "./descriptor.ts";
import { SysError } from "./errno.ts";
import type { Argument, Completion } from "./libc.ts";
import { Socket, type SocketType } from "./socket.ts";
import { type Address, type AddressFamily, type Bytes, bytes, sockaddrUn } from "./structs.ts";

/** Bytes of sun_path, with the null byte at its end: unix(7). */
const SUN_PATH = 108;
/** No answer to `CONNECT` is longer: `OK`, a space, ten digits, a newline. */
const MAX_ANSWER = 14;

/**
 * AF_UNIX names in the file system: a port is `path_port`, a CID says nothing.
 *
 * @param path of the device's socket.
 */
export function hybridFamily(path: string): AddressFamily {
  return {
    domain: AF_UNIX,
    name: "hybrid",
    encode: ({ port }) => unixName(`${path}_${port}`),
    decode: () => ({ cid: VMADDR_CID_ANY, port: VMADDR_PORT_ANY }),
  };
}

/**
 * struct sockaddr_un of a path.
 *
 * @throws {RangeError} if the path does not fit.
 */
export function unixName(path: string): Bytes {
  const encoded = new TextEncoder().encode(`${path}\0`);
  if (encoded.length > SUN_PATH) {
    throw new RangeError(`Cannot use ${path} as a socket: it must be under ${SUN_PATH} bytes`);
  }
  return sockaddrUn(encoded);
}

/** A call that AF_UNIX would answer, and not the device: nothing can be learned from it. */
export class NotOnHybridError extends Error {}

/** What a path's sockets are of: a class for {@linkcode Socket.open}. */
export function hybridSockets(path: string): typeof Socket {
  return class extends HybridSocket {
    protected override readonly path = path;
  };
}

/** A socket of the host's half. */
export class HybridSocket extends Socket {
  /** The device's socket. */
  protected readonly path: string = "";
  #bound: string | undefined;

  static override open(
    family: AddressFamily,
    type: SocketType,
    context: CallContext = {},
  ): Socket {
    if (type !== "stream") refuse("SOCK_SEQPACKET", context);
    return super.open(family, type, context);
  }

  static override create(
    _family: AddressFamily,
    type: number,
    protocol: number,
    context: CallContext = {},
  ): Socket {
    return refuse(`socket() of type ${type}, protocol ${protocol}`, context);
  }

  static override pair(_family: AddressFamily, _type: SocketType, context: CallContext = {}) {
    return refuse("socketpair()", context);
  }

  /** bind(2) to the socket of a port; its file is removed with the socket. */
  override bind(address: Address): void {
    const isPlain = address.cid === VMADDR_CID_ANY && address.port !== VMADDR_PORT_ANY;
    if (!isPlain) refuse("bind() to a CID or to any port", this.context);
    super.bind(address);
    this.#bound = `${this.path}_${address.port}`;
  }

  /** connect(2) to the device's socket, and no more. */
  async reach(): Promise<void> {
    const name = unixName(this.path);
    await this.callBlocking("connect", this.path, name, name.length);
  }

  /**
   * Connects to a port of the guest.
   *
   * @throws {SysError} ECONNRESET if the device closes the socket instead of answering: it has no
   *   other way to refuse.
   */
  override async connect({ port }: Address): Promise<void> {
    await this.reach();
    await this.send(new TextEncoder().encode(`CONNECT ${port}\n`));
    const answer = await readAnswer(this);
    if (/^OK \d+\n$/.test(answer)) return;
    if (answer === "") throw reset(`CONNECT ${port} on ${this.path}`);
    throw new Error(`the answer to CONNECT ${port} is ${JSON.stringify(answer)}`);
  }

  /** accept4(2); the name of who connected is AF_UNIX's. */
  override async accept(): Promise<{ socket: Socket; address: Address }> {
    const { socket } = await super.accept();
    const { context } = this;
    return {
      socket,
      address: {
        get cid() {
          return refuse("the CID of who connected", context);
        },
        get port() {
          return refuse("the port of who connected", context);
        },
      },
    };
  }

  override acceptHere(flags = SOCK_CLOEXEC, name: Argument = null, length: Argument = null) {
    if (name !== null) refuse("the name of who connected", this.context);
    return super.acceptHere(flags, name, length);
  }

  override connectHere(): void {
    refuse("connect() without waiting", this.context);
  }
  override sendHere(): number {
    return refuse("send() without waiting: the room is AF_UNIX's", this.context);
  }
  override bindName(): void {
    refuse("bind() to a name", this.context);
  }
  override connectName(): void {
    refuse("connect() to a name", this.context);
  }
  override nameInto(which: "getsockname" | "getpeername"): void {
    refuse(`${which}()`, this.context);
  }
  override sendTo(): number {
    return refuse("sendto() with a name", this.context);
  }
  override recvFrom(): number {
    return refuse("recvfrom() with a name", this.context);
  }
  override setsockoptAt(level: number, option: number): void {
    refuse(`socket option ${level}, ${option}`, this.context);
  }
  override getsockoptAt(level: number, option: number): void {
    refuse(`socket option ${level}, ${option}`, this.context);
  }
  override ioctlInt(request: number): number {
    return refuse(`ioctl(0x${request.toString(16)})`, this.context);
  }

  override close(): Promise<Completion> {
    this.#unlink();
    return super.close();
  }

  override [Symbol.dispose](): void {
    this.#unlink();
    super[Symbol.dispose]();
  }

  #unlink(): void {
    const path = this.#bound;
    this.#bound = undefined;
    if (path === undefined) return;
    try {
      Deno.removeSync(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/**
 * The line that answers `CONNECT`, with its newline, read byte by byte: what follows it is the
 * guest's data.
 *
 * @returns "" where the device closed the socket, and no more than an answer may have.
 */
export async function readAnswer(socket: Socket): Promise<string> {
  let answer = "";
  const byte = bytes(1);
  while (!answer.endsWith("\n") && answer.length < MAX_ANSWER) {
    try {
      if (await socket.recv(byte) === 0) break;
    } catch (error) {
      // A device that closes with input unread resets an AF_UNIX stream.
      if (error instanceof SysError && error.code === "ECONNRESET") break;
      throw error;
    }
    answer += String.fromCharCode(byte[0] ?? 0);
  }
  return answer;
}

const ECONNRESET = 104;

function reset(call: string): TimedSysError {
  return new TimedSysError(call, { result: -ECONNRESET, nanoseconds: 0n, interrupted: false });
}

function refuse(what: string, { unasked }: CallContext): never {
  const reason = `cannot be asked of a hybrid Unix socket: ${what}`;
  unasked?.(reason);
  throw new NotOnHybridError(reason);
}
