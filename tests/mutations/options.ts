/**
 * Options that are kept, bounded or refused otherwise than they must be.
 *
 * @module
 */
import {
  AF_VSOCK,
  POLLIN,
  SO_DOMAIN,
  SO_KEEPALIVE,
  SO_VM_SOCKETS_BUFFER_MIN_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW,
  SOL_SOCKET,
} from "../../sys/constants.ts";
import type { SocketType } from "../../sys/socket.ts";
import { type Address, type Bytes, int, timeval } from "../../sys/structs.ts";
import { bindAnyway } from "./addresses.ts";
import { pollHides } from "./calls.ts";
import {
  errsWith,
  failure,
  type Mutate,
  neverFails,
  optionNotKept,
  optionWithoutEffect,
  replacing,
  type Row,
} from "./mutation.ts";

const takesAnything = neverFails("setsockopt", () => {});
const takesAnyMemory = neverFails("setsockoptAt", () => {});
const isOfUnix = replacing(
  "getInt",
  (getInt, level, option) => option === SO_DOMAIN ? 1 : getInt(level, option),
);
const isOneMore = replacing("getU64", (getU64, ...args) => getU64(...args) + 1n);
const recvEnds = replacing("recv", () => Promise.reject(failure("recv(3)", "EAGAIN", 1)));
const noMinimum = optionWithoutEffect(AF_VSOCK, SO_VM_SOCKETS_BUFFER_MIN_SIZE);

/** connect() makes the buffer as large as it may be. */
const connectResets: Mutate = (Base) =>
  class extends Base {
    override async connect(address: Address): Promise<void> {
      await super.connect(address);
      this.setU64(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, 1n << 33n);
    }
  };

/** No more than that fits. */
const FULL = 4608;
const boundBySendBuffer: Mutate = (Base) =>
  class extends Base {
    #sent = 0;

    override sendHere(data: Bytes, flags?: number): number {
      if (this.#sent >= FULL) throw failure("send(3)", "EAGAIN");
      const sent = super.sendHere(data.subarray(0, FULL), flags);
      this.#sent += sent;
      return sent;
    }
  };

function ofSocket(type: SocketType): Row[] {
  const id = (claim: string) => `options/socket/${type}-${claim}`;
  const notKept = optionNotKept(SOL_SOCKET, SO_KEEPALIVE, int(0));
  return [
    [
      id("kind"),
      "client",
      "SO_DOMAIN is AF_UNIX",
      isOfUnix,
      /SO_DOMAIN of a new socket: .*40, got 1/,
    ],
    [id("kind"), "server", "SO_DOMAIN is AF_UNIX", isOfUnix, /SO_DOMAIN of what was accepted/],
    [
      id("unknown"),
      "client",
      "options can all be set",
      takesAnything,
      /\(TCP_NODELAY\): .*ENOPROTO/,
    ],
    [id("portable"), "client", "SO_KEEPALIVE is not kept", notKept, /option 9 of level 1 after/],
    [id("reuseaddr"), "client", "bind() shares a port", bindAnyway, /second socket: .*EADDRINUSE/],
    [
      `options/memory/${type}-not-there`,
      "client",
      "setsockopt() takes any memory",
      takesAnyMemory,
      /at address 16: expected EFAULT/,
    ],
    [
      `options/zerocopy/${type}-values`,
      "client",
      "options can all be set",
      takesAnything,
      /SO_ZEROCOPY 2: expected EINVAL/,
    ],
    [id("rcvtimeo-of-waiting"), "client", "recv() does not wait", recvEnds, /299 ms too early/],
  ];
}

function ofBuffers(type: SocketType): Row[] {
  const buffers = (claim: string) => `options/buffers/${type}-${claim}`;
  const time = (claim: string) => `options/connect-timeout/${type}-${claim}`;
  const two = optionNotKept(AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT_NEW, timeval(2000));
  return [
    [buffers("defaults"), "client", "buffer is a byte larger", isOneMore, /SIZE of a new socket/],
    [
      buffers("clamped"),
      "client",
      "buffer has no minimum",
      noMinimum,
      /after SIZE 1: expected 4096/,
    ],
    [
      buffers("of-connection"),
      "client",
      "connect() resets the buffer",
      connectResets,
      /option 0 aft/,
    ],
    [
      buffers("of-connection"),
      "client",
      "buffer has no minimum",
      noMinimum,
      /after SIZE 1: .*4096/,
    ],
    [
      buffers("four-gigabytes"),
      "client",
      "buffer is a byte larger",
      isOneMore,
      /after connect\(\)/,
    ],
    [time("values"), "client", "second number is another option", two, /under the other number/],
    [
      time("out-of-range"),
      "client",
      "options can all be set",
      takesAnything,
      /-1 s: expected ERANGE/,
    ],
  ];
}

/** Options. */
export const mutations: readonly Row[] = [
  ...(["stream", "seqpacket"] as const).flatMap((type) => [...ofSocket(type), ...ofBuffers(type)]),
  [
    "options/rcvlowat/stream-bounds",
    "client",
    "options can all be set",
    takesAnything,
    /SO_RCVLOWAT 1001: expected EINVAL/,
  ],
  [
    "options/rcvlowat/stream-counts-what-is-left",
    "server",
    "poll() never sees POLLIN",
    pollHides(POLLIN),
    /with 500 bytes of 500: expected "POLLIN", got "0"/,
  ],
  [
    "options/rcvlowat/stream-whole-buffer",
    "server",
    "recv() fails otherwise",
    errsWith("recv", "ENOMEM", "EAGAIN"),
    /MSG_WAITALL\): expected ENOMEM, got/,
  ],
  [
    "options/socket/stream-buffers-bound-nothing",
    "client",
    "SO_SNDBUF bounds what can be sent",
    boundBySendBuffer,
    /send\(\) after 4608 bytes: .*EAGAIN/,
  ],
];
