/**
 * The completions of MSG_ZEROCOPY, taken from a socket's error queue without allocating anything.
 *
 * @module
 */
import {
  MSG_ERRQUEUE,
  SO_EE_CODE_ZEROCOPY_COPIED,
  SO_EE_ORIGIN_ZEROCOPY,
  SOL_VSOCK,
  VSOCK_RECVERR,
} from "../sys/constants.ts";
import { directCalls } from "../sys/libc_fast.ts";
import { SysError } from "../sys/errno.ts";
import { call } from "../sys/libc.ts";
import type { Socket } from "../sys/socket.ts";
import { bytes, controlSpace, messageHeader } from "../sys/structs.ts";

/** Room for one control message with a struct sock_extended_err, and for an address behind it. */
const CONTROL_SIZE = controlSpace(32);
/** Of msg_controllen in struct msghdr, in words of 8 bytes. */
const CONTROL_LENGTH = 5;
/** In the control message: cmsg_level, cmsg_type, and of struct sock_extended_err what is asked. */
const AT = { level: 8, type: 12, errno: 16, origin: 20, code: 22 } as const;

/** The completions of one socket's sends. */
export class Completions {
  readonly #fd: number;
  readonly #recvmsg = directCalls().recvmsg;
  readonly #control = bytes(CONTROL_SIZE);
  readonly #view = new DataView(this.#control.buffer);
  readonly #header = messageHeader([], this.#control).bytes;
  readonly #words = new BigUint64Array(this.#header.buffer);
  readonly #room = BigInt(CONTROL_SIZE);
  #all = 0;
  #copied = 0;

  constructor(socket: Socket) {
    this.#fd = socket.fd;
  }

  /**
   * Takes one that poll(2) has announced with POLLERR.
   *
   * @throws {Error} where the error queue holds something else.
   */
  take(): void {
    this.#words[CONTROL_LENGTH] = this.#room;
    if (this.#recvmsg(this.#fd, this.#header, MSG_ERRQUEUE) < 0) this.#repeat();
    const view = this.#view;
    const isCompletion = view.getInt32(AT.level, true) === SOL_VSOCK &&
      view.getInt32(AT.type, true) === VSOCK_RECVERR &&
      view.getUint8(AT.origin) === SO_EE_ORIGIN_ZEROCOPY && view.getUint32(AT.errno, true) === 0;
    if (!isCompletion) throw new Error("the error queue holds no completion of MSG_ZEROCOPY");
    this.#all++;
    if ((view.getUint8(AT.code) & SO_EE_CODE_ZEROCOPY_COPIED) !== 0) this.#copied++;
  }

  /** How many there were, and for how many of them the kernel copied after all. */
  figures(): { readonly all: number; readonly copied: number } {
    return { all: this.#all, copied: this.#copied };
  }

  #repeat(): void {
    this.#words[CONTROL_LENGTH] = this.#room;
    const result = call("recvmsg", this.#fd, this.#header, MSG_ERRQUEUE);
    if (result < 0) throw new SysError(`recvmsg(${this.#fd}, MSG_ERRQUEUE)`, -result);
  }
}
