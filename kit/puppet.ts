/**
 * The puppet: makes the calls that a controller draws, on sockets of its own, and returns the
 * results. It makes no other calls than those in core/socket_call.ts.
 *
 * @module
 */
import {
  CALL_PORTS,
  type CallAnswer,
  MAX_CALL_BYTES,
  NO_SOCKET,
  type SocketCall,
} from "../core/socket_call.ts";
import { digestOf, patternBytes } from "../control/pattern.ts";
import type { Played, Program } from "../control/puppet_wire.ts";
import {
  MSG_EOR,
  MSG_TRUNC,
  SIOCINQ,
  SIOCOUTQ,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  VMADDR_CID_ANY,
  VMADDR_PORT_ANY,
} from "../sys/constants.ts";
import { errnoName } from "../sys/errno.ts";
import { call } from "../sys/libc.ts";
import {
  type Address,
  type AddressFamily,
  bytes,
  int,
  intOf,
  messageHeader,
  messageHeaderFlags,
  SOCKADDR_STORAGE_SIZE,
  timeval,
} from "../sys/structs.ts";
import {
  answer,
  flagBits,
  getOption,
  HOWS,
  partsOf,
  poll,
  setOption,
  TYPES,
} from "./puppet_calls.ts";

/** The addresses that a puppet uses. */
export interface PuppetPlace {
  readonly family: AddressFamily;
  /** The CID of the machine that it connects to. */
  readonly peerCid: number;
  /** The first of its ports; nobody listens at the one after those of a program. */
  readonly port: number;
}

/** How long a call that waits does so, in milliseconds: a moment, so that nothing blocks for long. */
const MOMENT = 10;
/** The errors of connect() if nobody listens at a port; the latter on AF_UNIX. */
const NOBODY = ["ECONNRESET", "ECONNREFUSED"];

/** Makes calls. */
export class Puppet implements Disposable {
  readonly #place: PuppetPlace;
  readonly #sockets = new Map<number, number>();
  readonly #buffer = bytes(MAX_CALL_BYTES);
  /** The socket that connects where nobody listens; negative until it is needed. */
  #asking = -1;

  constructor(place: PuppetPlace) {
    this.#place = place;
  }

  /** Makes the calls of a program, one after the other, and closes all its sockets. */
  play({ calls, more = false }: Program): Played {
    const answers: CallAnswer[] = [];
    for (const one of calls) {
      const answer = this.perform(one);
      answers.push(answer);
      const stalled = maySend(one, answer) ? this.#settle() : undefined;
      if (stalled === undefined) continue;
      this.#closeAll();
      return { answers, stalled };
    }
    if (more) return { answers };
    this.#closeAll();
    // What the next program binds to must be free.
    const stalled = this.#settle();
    return stalled === undefined ? { answers } : { answers, stalled };
  }

  /** Makes a call. */
  perform(one: SocketCall): CallAnswer {
    if (one.call === "socket") return this.#made(one.socket, this.#open(TYPES[one.type]));
    const fd = this.#sockets.get(one.socket);
    if (fd === undefined) return { result: -1, errno: NO_SOCKET };
    switch (one.call) {
      case "bind":
        return this.#bind(fd, this.#place.port + one.port);
      case "autobind":
        return this.#bind(fd, VMADDR_PORT_ANY);
      case "listen":
        return answer(call("listen", fd, one.backlog));
      case "connect":
        return answer(this.#connect(fd, this.#place.port + one.port));
      case "accept":
        return this.#made(one.as, call("accept4", fd, null, null, SOCK_CLOEXEC));
      case "dup":
        return this.#made(one.as, call("dup", fd));
      case "send":
        return this.#send(fd, one);
      case "recv":
        return this.#receive(fd, one);
      case "shutdown":
        return answer(call("shutdown", fd, HOWS[one.how]));
      case "close":
        this.#sockets.delete(one.socket);
        return answer(call("close", fd));
      case "poll":
        return poll(fd);
      case "getsockname":
      case "getpeername":
        return this.#name(one.call, fd);
      case "getsockopt":
        return getOption(fd, one.option);
      case "setsockopt":
        return setOption(fd, one.option, one.value);
      case "ioctl":
        return one.request === "SIOCINQ" ? ask(fd, SIOCINQ) : askUntilNone(fd, SIOCOUTQ);
    }
  }

  /** Closes its sockets. */
  [Symbol.dispose](): void {
    this.#closeAll();
    if (this.#asking >= 0) call("close", this.#asking);
    this.#asking = -1;
  }

  #closeAll(): void {
    for (const fd of this.#sockets.values()) call("close", fd);
    this.#sockets.clear();
  }

  /**
   * Waits until all packets have arrived and been answered. A transport delivers packets in order,
   * so the answer to a refused connection request comes after all of them.
   *
   * @returns the errno if the request was not refused.
   */
  #settle(): string | undefined {
    if (this.#asking < 0) this.#asking = this.#open(SOCK_STREAM);
    const fd = this.#asking;
    const result = fd < 0 ? fd : this.#connect(fd, this.#place.port + CALL_PORTS);
    const errno = errnoName(-result);
    return NOBODY.includes(errno) ? undefined : errno;
  }

  #open(type: number): number {
    return call("socket", this.#place.family.domain, type | SOCK_CLOEXEC, 0);
  }

  /** Takes a new descriptor and sets short timeouts on it, or takes an errno. */
  #made(name: number, fd: number): CallAnswer {
    if (fd < 0) return answer(fd);
    const before = this.#sockets.get(name);
    if (before !== undefined) call("close", before);
    this.#sockets.set(name, fd);
    for (const option of [SO_RCVTIMEO, SO_SNDTIMEO]) {
      const time = timeval(MOMENT);
      call("setsockopt", fd, SOL_SOCKET, option, time, time.length);
    }
    return { result: 0 };
  }

  #bind(fd: number, port: number): CallAnswer {
    const address = this.#place.family.encode({ cid: VMADDR_CID_ANY, port });
    return answer(call("bind", fd, address, address.length));
  }

  #connect(fd: number, port: number): number {
    const address = this.#place.family.encode({ cid: this.#place.peerCid, port });
    return call("connect", fd, address, address.length);
  }

  #send(fd: number, one: Extract<SocketCall, { call: "send" }>): CallAnswer {
    const data = patternBytes(one.pattern, one.length);
    if (one.pieces === undefined) return answer(call("send", fd, data, data.length, flagBits(one)));
    const header = messageHeader(partsOf(data, one.pieces));
    return answer(call("sendmsg", fd, header.bytes, flagBits(one)));
  }

  #receive(fd: number, one: Extract<SocketCall, { call: "recv" }>): CallAnswer {
    const header = messageHeader(partsOf(this.#buffer.subarray(0, one.length), one.pieces ?? 1));
    const result = call("recvmsg", fd, header.bytes, flagBits(one));
    if (result < 0) return answer(result);
    const set = messageHeaderFlags(header);
    const flags = [
      ...(set & MSG_EOR ? ["EOR"] : []),
      ...(set & MSG_TRUNC ? ["TRUNC"] : []),
    ];
    const stored = Math.min(result, one.length);
    const digest = stored === 0 ? {} : { digest: digestOf(this.#buffer.subarray(0, stored)) };
    return { result, flags, ...digest };
  }

  #name(symbol: "getsockname" | "getpeername", fd: number): CallAnswer {
    const sockaddr = bytes(SOCKADDR_STORAGE_SIZE);
    const length = int(sockaddr.length);
    const result = call(symbol, fd, sockaddr, length);
    if (result < 0) return answer(result);
    const { cid, port }: Address = this.#place.family.decode(sockaddr, intOf(length));
    return { result, cid, port };
  }
}

/** Whether packets to the peer may be under way after a call. */
function maySend(one: SocketCall, { result, errno }: CallAnswer): boolean {
  switch (one.call) {
    // Some kernels send the beginning of a message even if it does not fit.
    case "send":
      return errno === undefined ? result > 0 : errno === "EAGAIN";
    case "recv":
      return result > 0 && !one.flags.includes("PEEK");
    // A refused connect() has waited for its answer, which comes after everything sent before.
    case "connect":
      return errno === undefined;
    case "shutdown":
    case "close":
    case "setsockopt":
      return errno === undefined;
    default:
      return false;
  }
}

/** How often, and for how long each time, is waited for a number to become 0: nanosleep(2). */
const TRIES = 20;
const PAUSE = timeval(1);

/** ioctl(2) that gives a number. */
function ask(fd: number, request: number): CallAnswer {
  const value = int(0);
  const result = call("ioctl", fd, request, value);
  return result < 0 ? answer(result) : { result: intOf(value) };
}

/** As often as it takes until nothing is left: a device gives back what it has sent a little later. */
function askUntilNone(fd: number, request: number): CallAnswer {
  let asked = ask(fd, request);
  for (let i = 0; i < TRIES && asked.result > 0; i++) {
    call("select", 0, null, null, null, PAUSE.slice());
    asked = ask(fd, request);
  }
  return asked;
}
