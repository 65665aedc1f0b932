/**
 * What the cases of seqpacket/ must notice.
 *
 * @module
 */
import {
  AF_VSOCK,
  MSG_EOR,
  MSG_TRUNC,
  SO_RCVTIMEO,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SOL_SOCKET,
} from "../../sys/constants.ts";
import type { Mapping } from "../../sys/memory.ts";
import type { Completion } from "../../sys/libc.ts";
import type { RawMemory, ReceivedMessage } from "../../sys/socket.ts";
import { type Bytes, bytes, type IoVector, timeval, u64 } from "../../sys/structs.ts";
import {
  peekConsumes,
  peekOfNothingIsTheEnd,
  peekShowsOtherData,
  sendFlipsABit,
  sendLosesLastByte,
  sendTakesAnything,
} from "./data.ts";
import {
  errsWith,
  failedWith,
  failure,
  type Mutate,
  neverFails,
  optionNotKept,
  replacing,
  type Row,
} from "./mutation.ts";

const BOUNDS = "seqpacket/bounds/kept-with-eor";
const PEEK = "seqpacket/msg-peek/leaves-message";
const TRUNC = "seqpacket/msg-trunc/returns-real-length";
const TIMEOUT = "seqpacket/rcvtimeo/ends-read-with-eagain";
const HOLE = "seqpacket/receive-buffer/hole-costs-one-message";
const NOWHERE = "seqpacket/receive-buffer/null-costs-one-message";
const BIG = "seqpacket/send/larger-than-buffer-is-emsgsize";

const sendForgetsEor = replacing("send", (send, data, flags = 0) => send(data, flags & ~MSG_EOR));

const peekHidesTheLength = replacing("recv", (recv, into, flags = 0) => {
  return recv(into, flags & ~MSG_TRUNC);
});

/** Every other message is appended to the one before it. */
const mergesMessages: Mutate = (Base) =>
  class extends Base {
    #received = 0;

    override async recvmsg(vectors: readonly IoVector[], flags?: number): Promise<ReceivedMessage> {
      const message = await super.recvmsg(vectors, flags);
      const [into] = vectors;
      const isEnd = message.length === 0 || ++this.#received % 2 === 0;
      if (isEnd || !(into instanceof Uint8Array)) return message;
      const next = await super.recvmsg([into.subarray(message.length)], flags);
      const length = message.length + next.length;
      return { ...message, length, flags: message.flags | next.flags };
    }
  };

/** Every other message comes before the one that was sent before it. */
const swapsMessages: Mutate = (Base) =>
  class extends Base {
    #kept: Bytes | undefined;

    override async recvmsg(vectors: readonly IoVector[], flags?: number): Promise<ReceivedMessage> {
      const [into] = vectors;
      const kept = this.#kept;
      if (kept !== undefined && into instanceof Uint8Array) {
        this.#kept = undefined;
        into.set(kept);
        return { length: kept.length, flags: 0, control: [] };
      }
      const message = await super.recvmsg(vectors, flags);
      if (message.length === 0 || !(into instanceof Uint8Array)) return message;
      this.#kept = into.slice(0, message.length);
      return await super.recvmsg(vectors, flags);
    }
  };

const recvmsgForgetsTrunc = replacing("recvmsg", async (recvmsg, ...args) => {
  const message = await recvmsg(...args);
  return { ...message, flags: message.flags & ~MSG_TRUNC };
});

const recvmsgReturnsTheRoom = replacing("recvmsg", async (recvmsg, vectors, ...rest) => {
  const message = await recvmsg(vectors, ...rest);
  const room = vectors.reduce((sum, { length }) => sum + length, 0);
  return { ...message, length: Math.min(message.length, room) };
});

/** A read that fails with EAGAIN as it must, but after another time, by the clock of its thread. */
const endsAfter = (milliseconds: number): Mutate =>
  replacing("readTimed", () => Promise.reject(failure("read(3, 1)", "EAGAIN", milliseconds)));

const holeIsPassedOver = neverFails("readTimed", ({ length }) => {
  return { result: length, nanoseconds: 0n, interrupted: false };
});

/** A hole that costs `count` more messages; with -1 it costs none. */
const holeCosts = (count: number): Mutate => (Base) =>
  class extends Base {
    #kept: Uint8Array<ArrayBuffer> | undefined;

    override async readTimed(into: Bytes | RawMemory): Promise<Completion> {
      if (this.#kept !== undefined) {
        (into as Mapping).bytes().set(this.#kept);
        return { result: into.length, nanoseconds: 0n, interrupted: false };
      }
      if (count < 0) {
        this.#kept = bytes(into.length);
        await super.recv(this.#kept);
        throw failure("read(3)", "EFAULT");
      }
      return await super.readTimed(into).catch(async (error) => {
        for (let i = 0; i < count; i++) await super.recv(bytes(into.length));
        throw error;
      });
    }
  };

/** A message that is too large is EMSGSIZE, but a part of it is sent. */
const sendsAPartAnyway = replacing("send", async (send, data, flags) => {
  try {
    return await send(data, flags);
  } catch (error) {
    if (failedWith(error, "EMSGSIZE")) await send(bytes(1), flags);
    throw error;
  }
});

/** EFAULT leaves the message where it is. */
const nowhereKeepsMessage = replacing("recv", (recv, into, flags) => {
  if (into instanceof Uint8Array) return recv(into, flags);
  return Promise.reject(failure("recv(3, 512, 0)", "EFAULT"));
});

/** Sockets whose messages are wrong. */
export const mutations: readonly Row[] = [
  [PEEK, "server", "peek consumes", peekConsumes, /end of file after 0 bytes/],
  [PEEK, "server", "peek at nothing is 0", peekOfNothingIsTheEnd, /EAGAIN, but it returned 0/],
  [PEEK, "server", "peek shows other data", peekShowsOtherData, /against .* byte 0/],
  [PEEK, "server", "peek hides the length", peekHidesTheLength, /expected 64, got 32/],
  [
    PEEK,
    "client",
    "send() loses the last byte",
    sendLosesLastByte,
    /had not ended[^]*recv\(\d+, 64, MSG_PEEK\)/,
    { noticed: "server", state: "timeout" },
  ],
  [BOUNDS, "server", "messages are merged", mergesMessages, /the sum over the messages/],
  [BOUNDS, "server", "messages are swapped", swapsMessages, /out of turn: expected 0, got 128/],
  [
    BOUNDS,
    "server",
    "options are not kept",
    optionNotKept(AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE, u64(262_144n)),
    /after setting it: expected 2097152/,
  ],
  [BOUNDS, "client", "send() forgets MSG_EOR", sendForgetsEor, /the sum/, { noticed: "server" }],
  [BOUNDS, "client", "send() loses a byte", sendLosesLastByte, /the sum/, { noticed: "server" }],
  [BOUNDS, "client", "send() flips a bit", sendFlipsABit, /the sum/, { noticed: "server" }],
  [TRUNC, "server", "recvmsg() forgets MSG_TRUNC", recvmsgForgetsTrunc, /flag is not set in 0x/],
  [TRUNC, "server", "recvmsg() returns the room", recvmsgReturnsTheRoom, /expected 32, got 16/],
  [TRUNC, "client", "send() loses a byte", sendLosesLastByte, /expected 32, got 31/, {
    noticed: "server",
  }],
  [TIMEOUT, "client", "read() ends early", endsAfter(500), /ms too early/],
  [TIMEOUT, "client", "read() ends late", endsAfter(15_000), /ms late/],
  [
    TIMEOUT,
    "client",
    "read() ends with another errno",
    errsWith("readTimed", "EAGAIN", "ETIMEDOUT"),
    /got .*ETIMEDOUT/,
  ],
  [
    TIMEOUT,
    "client",
    "read() is always interrupted",
    errsWith("readTimed", "EAGAIN", "EINTR"),
    /got .*EINTR/,
  ],
  [
    TIMEOUT,
    "client",
    "SO_RCVTIMEO is not kept",
    optionNotKept(SOL_SOCKET, SO_RCVTIMEO, timeval(0)),
    /after setting it: byte 0/,
  ],
  [HOLE, "server", "read() passes over the hole", holeIsPassedOver, /expected EFAULT, but it/],
  [
    HOLE,
    "server",
    "EFAULT is another errno",
    errsWith("readTimed", "EFAULT", "ENOMEM"),
    /expected EFAULT, got read.*ENOMEM/,
  ],
  [HOLE, "server", "hole costs no message", holeCosts(-1), /the second message: byte 0 is 0x61/],
  [HOLE, "server", "hole costs two messages", holeCosts(1), /of the second message: .* got 0/],
  [NOWHERE, "client", "EFAULT leaves the message", nowhereKeepsMessage, /but it returned 512/],
  [
    NOWHERE,
    "client",
    "EFAULT is another errno",
    errsWith("recv", "EFAULT", "ENOMEM"),
    /expected EFAULT, got recv.*ENOMEM/,
  ],
  [
    NOWHERE,
    "client",
    "recv() stores at address 0",
    neverFails("recv", ({ length }) => length),
    /expected EFAULT, but it returned 512/,
  ],
  [BIG, "client", "send() takes anything", sendTakesAnything, /EMSGSIZE, but it returned 262145/],
  [BIG, "client", "send() sends a part and fails", sendsAPartAnyway, /expected 0, got 1/, {
    noticed: "server",
  }],
  [
    BIG,
    "client",
    "send() runs out of buffers",
    errsWith("send", "EMSGSIZE", "ENOBUFS"),
    /got .*ENOBUFS/,
  ],
  [
    BIG,
    "client",
    "EMSGSIZE is another errno",
    errsWith("send", "EMSGSIZE", "ENOMEM"),
    /got .*ENOMEM/,
  ],
];
