/**
 * Sockets that err on purpose, each with the case that must notice, and on which side.
 *
 * @module
 */
import type { Role } from "../../core/case.ts";
import type { SideState } from "../../core/outcome.ts";
import {
  AF_VSOCK,
  MSG_EOR,
  MSG_PEEK,
  MSG_TRUNC,
  POLLRDHUP,
  SO_RCVTIMEO,
} from "../../sys/constants.ts";
import type { Mapping } from "../../sys/memory.ts";
import type { Completion } from "../../sys/native.ts";
import type { RawMemory, ReceivedMessage, Socket } from "../../sys/socket.ts";
import { type Address, type Bytes, bytes, type IoVector, timeval, u64 } from "../../sys/structs.ts";
import { failedWith, failure, VsockLike } from "./vsock_like.ts";

/** A broken socket and what is to be noticed of it. */
export interface Mutation {
  /** The case that must notice. */
  readonly id: string;
  /** What is broken, to be read after "a client whose" or "a server whose". */
  readonly what: string;
  /** The side that has the broken sockets. */
  readonly on: Role;
  readonly socketClass: typeof Socket;
  /** The side that must notice, where it is the other one. */
  readonly noticed?: Role;
  /** How that side ends, where it does not fail. */
  readonly state?: SideState;
  /** What it must say. */
  readonly reason: RegExp;
}

class ConnectRefused extends VsockLike {
  override async connect(address: Address): Promise<void> {
    try {
      await super.connect(address);
    } catch (error) {
      throw failedWith(error, "ECONNRESET") ? failure(error.call, "ECONNREFUSED") : error;
    }
  }
}

class ConnectAnyway extends VsockLike {
  override connect(address: Address): Promise<void> {
    return super.connect(address).catch(() => {});
  }
}

class SendLosesLastByte extends VsockLike {
  override async send(data: Bytes | RawMemory, flags?: number): Promise<number> {
    if (!(data instanceof Uint8Array)) return await super.send(data, flags);
    await super.send(data.slice(0, -1), flags);
    return data.length;
  }
}

class SendFlipsABit extends VsockLike {
  override async send(data: Bytes | RawMemory, flags?: number): Promise<number> {
    if (!(data instanceof Uint8Array)) return await super.send(data, flags);
    return await super.send(data.map((byte, i) => i === data.length >> 1 ? byte ^ 1 : byte), flags);
  }
}

class SendTakesAnything extends VsockLike {
  override send(data: Bytes | RawMemory, flags?: number): Promise<number> {
    return super.send(data, flags).catch(() => data.length);
  }
}

class SendForgetsEor extends VsockLike {
  override send(data: Bytes | RawMemory, flags = 0): Promise<number> {
    return super.send(data, flags & ~MSG_EOR);
  }
}

class SendRunsOutOfBuffers extends VsockLike {
  override async send(data: Bytes | RawMemory, flags?: number): Promise<number> {
    try {
      return await super.send(data, flags);
    } catch (error) {
      throw failedWith(error, "EMSGSIZE") ? failure(error.call, "ENOBUFS") : error;
    }
  }
}

class EndIsAReset extends VsockLike {
  override async recv(into: Bytes | RawMemory, flags?: number): Promise<number> {
    const count = await super.recv(into, flags);
    if (count === 0) throw failure("recv(3, 1, 0)", "ECONNRESET");
    return count;
  }
}

class CloseDropsData extends VsockLike {
  override async poll(events?: number, milliseconds?: number): Promise<number> {
    const revents = await super.poll(events, milliseconds);
    if (revents & POLLRDHUP) await super.recv(bytes(4096));
    return revents;
  }
}

class EndIsDataAgain extends VsockLike {
  override async recv(into: Bytes | RawMemory, flags?: number): Promise<number> {
    return await super.recv(into, flags) || 1;
  }
}

class PeekConsumes extends VsockLike {
  override recv(into: Bytes | RawMemory, flags = 0): Promise<number> {
    return super.recv(into, flags & ~MSG_PEEK);
  }
}

class PeekOfNothingIsTheEnd extends VsockLike {
  override async recv(into: Bytes | RawMemory, flags?: number): Promise<number> {
    try {
      return await super.recv(into, flags);
    } catch (error) {
      if (failedWith(error, "EAGAIN")) return 0;
      throw error;
    }
  }
}

class PeekShowsOtherData extends VsockLike {
  override async recv(into: Bytes | RawMemory, flags = 0): Promise<number> {
    const count = await super.recv(into, flags);
    if (into instanceof Uint8Array && flags === MSG_PEEK) into[0] = (into[0] ?? 0) ^ 1;
    return count;
  }
}

class PeekHidesTheLength extends VsockLike {
  override async recv(into: Bytes | RawMemory, flags = 0): Promise<number> {
    return await super.recv(into, flags & ~MSG_TRUNC);
  }
}

/** Every connection after the fiftieth carries another byte. */
class LateConnectionsErr extends VsockLike {
  static #made = 0;
  #number = LateConnectionsErr.#made++;

  override async recv(into: Bytes | RawMemory, flags?: number): Promise<number> {
    const count = await super.recv(into, flags);
    if (into instanceof Uint8Array && this.#number % 100 >= 50) into[0] = 0;
    return count;
  }
}

class MergesMessages extends VsockLike {
  #received = 0;

  override async recvmsg(vectors: readonly IoVector[], flags?: number): Promise<ReceivedMessage> {
    const message = await super.recvmsg(vectors, flags);
    const [into] = vectors;
    const isEnd = message.length === 0 || ++this.#received % 2 === 0;
    if (isEnd || !(into instanceof Uint8Array)) return message;
    const next = await super.recvmsg([into.subarray(message.length)], flags);
    return { ...message, length: message.length + next.length, flags: message.flags | next.flags };
  }
}

class RecvmsgForgetsTrunc extends VsockLike {
  override async recvmsg(vectors: readonly IoVector[], flags?: number): Promise<ReceivedMessage> {
    const message = await super.recvmsg(vectors, flags);
    return { ...message, flags: message.flags & ~MSG_TRUNC };
  }
}

class RecvmsgReturnsTheRoom extends VsockLike {
  override async recvmsg(vectors: readonly IoVector[], flags?: number): Promise<ReceivedMessage> {
    const message = await super.recvmsg(vectors, flags);
    const room = vectors.reduce((sum, { length }) => sum + length, 0);
    return { ...message, length: Math.min(message.length, room) };
  }
}

class OptionsAreNotKept extends VsockLike {
  override getsockopt(level: number, option: number, size: number): Bytes {
    if (level === AF_VSOCK) return u64(262_144n);
    return option === SO_RCVTIMEO ? timeval(0) : super.getsockopt(level, option, size);
  }
}

/** A read that fails with EAGAIN as it must, but after another time, by the clock of its thread. */
const endsAfter = (milliseconds: number) =>
  class EndsAfter extends VsockLike {
    override readTimed(): Promise<Completion> {
      return Promise.reject(failure("read(3, 1)", "EAGAIN", milliseconds));
    }
  };

class TimeoutIsAnotherError extends VsockLike {
  override async readTimed(into: Bytes | RawMemory): Promise<Completion> {
    try {
      return await super.readTimed(into);
    } catch (error) {
      throw failedWith(error, "EAGAIN") ? failure(error.call, "ETIMEDOUT") : error;
    }
  }
}

class HoleIsPassedOver extends VsockLike {
  override async readTimed(into: Bytes | RawMemory): Promise<Completion> {
    try {
      return await super.readTimed(into);
    } catch (error) {
      if (!failedWith(error, "EFAULT")) throw error;
      return { result: into.length, nanoseconds: 0n, interrupted: false };
    }
  }
}

/** A hole that costs `count` more messages; with -1 it costs none. */
const holeCosts = (count: number) =>
  class HoleCosts extends VsockLike {
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

const RESET = "stream/connect/refused-without-socket";
const BIND = "stream/connect/refused-by-bound-socket";
const HUNDRED = "stream/connect/hundred-at-once";
const CLIENT_CLOSE = "stream/close/by-client-keeps-data";
const SERVER_CLOSE = "stream/close/by-server-keeps-data";
const STREAM_PEEK = "stream/msg-peek/leaves-data";
const PACKET_PEEK = "seqpacket/msg-peek/leaves-message";
const BOUNDS = "seqpacket/bounds/kept-with-eor";
const TRUNC = "seqpacket/msg-trunc/returns-real-length";
const TIMEOUT = "seqpacket/rcvtimeo/ends-read-with-eagain";
const HOLE = "seqpacket/receive-buffer/hole-costs-one-message";
const BIG = "seqpacket/send/larger-than-buffer-is-emsgsize";

type Row = readonly [
  id: string,
  on: Role,
  what: string,
  socketClass: typeof Socket,
  reason: RegExp,
  more?: Partial<Mutation>,
];

const ROWS: readonly Row[] = [
  [RESET, "client", "connect() is refused", ConnectRefused, /got connect\(.*ECONNREFUSED/],
  [RESET, "client", "connect() always succeeds", ConnectAnyway, /but it returned undefined/],
  [BIND, "client", "connect() is refused", ConnectRefused, /got connect\(.*ECONNREFUSED/],
  [BIND, "client", "connect() always succeeds", ConnectAnyway, /but it returned undefined/],
  [HUNDRED, "client", "late connections err", LateConnectionsErr, /expected 65, got 0/],
  [HUNDRED, "client", "send() flips a bit", SendFlipsABit, /expected 65, got 64/, {
    noticed: "server",
  }],
  ...([[CLIENT_CLOSE, "server", "client"], [SERVER_CLOSE, "client", "server"]] as const).flatMap(
    ([id, reader, writer]): Row[] => [
      [id, reader, "end is a reset", EndIsAReset, /ECONNRESET/],
      [id, reader, "end is data again", EndIsDataAgain, /after the last byte: expected 0, got 1/],
      [id, reader, "data is lost at the end", CloseDropsData, /end of file after 0 bytes/],
      [id, reader, "send() takes anything", SendTakesAnything, /expected EPIPE, but it returned 1/],
      [id, writer, "send() loses the last byte", SendLosesLastByte, /end of file after 0 bytes/, {
        noticed: reader,
      }],
    ],
  ),
  ...[STREAM_PEEK, PACKET_PEEK].flatMap((id): Row[] => [
    [id, "server", "peek consumes", PeekConsumes, /end of file after 0 bytes/],
    [id, "server", "peek at nothing is 0", PeekOfNothingIsTheEnd, /EAGAIN, but it returned 0/],
    [
      id,
      "server",
      "peek shows other data",
      PeekShowsOtherData,
      /what was received against .* byte 0/,
    ],
    [id, "client", "send() loses the last byte", SendLosesLastByte, /had not ended/, {
      noticed: "server",
      state: "timeout",
    }],
  ]),
  [PACKET_PEEK, "server", "peek hides the length", PeekHidesTheLength, /expected 64, got 32/],
  [BOUNDS, "server", "messages are merged", MergesMessages, /the sum over the messages/],
  [
    BOUNDS,
    "server",
    "options are not kept",
    OptionsAreNotKept,
    /after setting it: expected 2097152/,
  ],
  [BOUNDS, "client", "send() forgets MSG_EOR", SendForgetsEor, /the sum/, { noticed: "server" }],
  [BOUNDS, "client", "send() loses a byte", SendLosesLastByte, /the sum/, { noticed: "server" }],
  [BOUNDS, "client", "send() flips a bit", SendFlipsABit, /the sum/, { noticed: "server" }],
  [
    TRUNC,
    "server",
    "recvmsg() forgets MSG_TRUNC",
    RecvmsgForgetsTrunc,
    /the flag is not set in 0x/,
  ],
  [TRUNC, "server", "recvmsg() returns the room", RecvmsgReturnsTheRoom, /expected 32, got 16/],
  [TRUNC, "client", "send() loses a byte", SendLosesLastByte, /expected 32, got 31/, {
    noticed: "server",
  }],
  [TIMEOUT, "client", "read() ends early", endsAfter(500), /ms too early/],
  [TIMEOUT, "client", "read() ends late", endsAfter(15_000), /ms late/],
  [TIMEOUT, "client", "read() ends with another errno", TimeoutIsAnotherError, /got .*ETIMEDOUT/],
  [TIMEOUT, "client", "SO_RCVTIMEO is not kept", OptionsAreNotKept, /after setting it: byte 0/],
  [HOLE, "server", "read() passes over the hole", HoleIsPassedOver, /expected EFAULT, but it/],
  [HOLE, "server", "hole costs no message", holeCosts(-1), /the second message: byte 0 is 0x61/],
  [
    HOLE,
    "server",
    "hole costs two messages",
    holeCosts(1),
    /length of the second message: .* got 0/,
  ],
  [BIG, "client", "send() takes anything", SendTakesAnything, /EMSGSIZE, but it returned 262145/],
  [BIG, "client", "send() runs out of buffers", SendRunsOutOfBuffers, /got .*ENOBUFS/],
];

/** Every mutation. */
export const MUTATIONS: readonly Mutation[] = ROWS.map((
  [id, on, what, socketClass, reason, more],
) => ({ id, on, what, socketClass, reason, ...more }));
