/**
 * Wrong streams: their data, their low-water mark, their shutdown and their credit.
 *
 * @module
 */
import {
  AF_VSOCK,
  MSG_NOSIGNAL,
  SO_RCVLOWAT,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  SOL_SOCKET,
} from "../../sys/constants.ts";
import type { RawMemory } from "../../sys/socket.ts";
import { type Bytes, bytes, int, u64 } from "../../sys/structs.ts";
import {
  peekBeginsAnew,
  peekConsumes,
  peekOfNothingIsTheEnd,
  peekShowsOtherData,
  sendFlipsABit,
  sendLosesLastByte,
  sendTakesAnything,
} from "./data.ts";
import {
  both,
  errsWith,
  failedWith,
  failure,
  type Mutate,
  neverFails,
  optionNotKept,
  optionWithoutEffect,
  pollNeverWakes,
  replacing,
  type Row,
} from "./mutation.ts";

const PEEK = "stream/msg-peek/leaves-data";
const PEEK_REST = "stream/msg-peek/after-partial-recv";
const NOWHERE = "stream/receive-buffer/null-keeps-data";
const JOINED = "stream/packets/joined-after-partial-read";
const SMALL = "stream/packets/small-ones-keep-connection";
const LOW_WATER = "stream/rcvlowat/poll-waits-for-all";
const OWN_WRITE = "stream/shutdown/own-write-is-epipe";
const PEERS_READ = "stream/shutdown/peers-read-is-epipe";
const ON_RCVLOWAT = "stream/credit/update-on-rcvlowat";
const BELOW_RCVLOWAT = "stream/credit/update-below-rcvlowat";
const OWN_BUFFER = "stream/credit/bound-by-own-buffer";

const rcvlowatWithoutEffect = optionWithoutEffect(SOL_SOCKET, SO_RCVLOWAT);
const rcvlowatNotKept = optionNotKept(SOL_SOCKET, SO_RCVLOWAT, int(1));

/** Data that could not be stored anywhere is lost. */
const nowhereLosesData: Mutate = (Base) =>
  class extends Base {
    override async recv(into: Bytes | RawMemory, flags?: number): Promise<number> {
      try {
        return await super.recv(into, flags);
      } catch (error) {
        if (failedWith(error, "EFAULT")) await super.recv(bytes(into.length));
        throw error;
      }
    }
  };

/** What was read of a packet is there again when another is appended to it. */
const partComesAgain: Mutate = (Base) =>
  class extends Base {
    #part: Bytes | undefined;

    override async recv(into: Bytes | RawMemory, flags?: number): Promise<number> {
      if (!(into instanceof Uint8Array)) return await super.recv(into, flags);
      const part = this.#part;
      if (part === undefined) {
        const count = await super.recv(into, flags);
        this.#part = into.slice(0, count);
        return count;
      }
      const again = Math.min(part.length, into.length);
      into.set(part.subarray(0, again));
      this.#part = bytes(0);
      return again > 0 ? again : await super.recv(into, flags);
    }
  };

/** Only the first recv() that waits gives all its data; the second loses a byte. */
const appendedIsLost: Mutate = (Base) =>
  class extends Base {
    #calls = 0;

    override async recv(into: Bytes | RawMemory, flags?: number): Promise<number> {
      const count = await super.recv(into, flags);
      return ++this.#calls === 2 ? count - 1 : count;
    }
  };

/** A connection ends after so many sends that do not wait. */
const resetAfter = (sends: number): Mutate => (Base) =>
  class extends Base {
    #sends = 0;

    override sendHere(data: Bytes, flags?: number): number {
      if (++this.#sends > sends) throw failure("send(3)", "ECONNRESET");
      return super.sendHere(data, flags);
    }
  };

const sendHereDrops = replacing("sendHere", (send, data, flags) => {
  send(data.subarray(1), flags);
  return data.length;
});
const sendHereChanges = replacing("sendHere", (send, data, flags) => {
  return send(data.map((byte) => byte ^ 1), flags);
});

const noSigpipe = replacing("send", (send, data, flags = 0) => send(data, flags | MSG_NOSIGNAL));
const alwaysSigpipe = replacing("send", (send, data, flags = 0) => {
  return send(data, flags & ~MSG_NOSIGNAL);
});

function refusing(id: string): Row[] {
  return [
    [id, "client", "refused send() raises no SIGPIPE", noSigpipe, /raised: expected 1, got 0/],
    [
      id,
      "client",
      "MSG_NOSIGNAL changes nothing",
      alwaysSigpipe,
      /MSG_NOSIGNAL\) raised: expected 0, got 1/,
    ],
    [
      id,
      "client",
      "EPIPE is another errno",
      errsWith("send", "EPIPE", "ECONNRESET"),
      /send\(\): expected EPIPE, got send.*ECONNRESET/,
    ],
  ];
}

const sendTakesAPart = replacing("send", async (send, data, flags) => {
  if (!(data instanceof Uint8Array)) return await send(data, flags);
  return await send(data.subarray(0, Math.max(1, data.length >> 1)), flags);
});

function crediting(id: string): Row[] {
  return [
    [
      id,
      "server",
      "SO_RCVLOWAT changes nothing",
      rcvlowatWithoutEffect,
      /recv\(65537, MSG_DONTWAIT\).*expected 65537, got 65536/,
    ],
    [id, "server", "SO_RCVLOWAT is not kept", rcvlowatNotKept, /expected 65537, got 1/],
    [id, "server", "poll() never wakes up", pollNeverWakes, /POLLRDNORM in .* not set/],
    [
      id,
      "server",
      "buffer size is not kept",
      optionNotKept(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, u64(262_144n)),
      /expected 131072, got 262144/,
    ],
    [
      id,
      "server",
      "buffer size changes nothing",
      optionWithoutEffect(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE),
      /131073 bytes came, expected 131072/,
    ],
    [id, "client", "send() takes a part", sendTakesAPart, /how much one send\(\) took/],
    [id, "client", "send() loses the last byte", sendLosesLastByte, /expected 65537, got 65536/, {
      noticed: "server",
    }],
  ];
}

const ownBufferWithoutEffect = both(
  optionWithoutEffect(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE),
  optionWithoutEffect(AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE),
);

const nothingFits = replacing("send", (_send, data, flags) => {
  return Promise.reject(failure(`send(3, ${data.length}, ${flags})`, "EAGAIN"));
});

/** What a stream is about besides its beginning and end. */
export const STREAMS: readonly Row[] = [
  [PEEK, "server", "peek consumes", peekConsumes, /end of file after 0 bytes/],
  [PEEK, "server", "peek at nothing is 0", peekOfNothingIsTheEnd, /EAGAIN, but it returned 0/],
  [PEEK, "server", "peek shows other data", peekShowsOtherData, /against .* byte 0/],
  [
    PEEK,
    "client",
    "send() loses the last byte",
    sendLosesLastByte,
    /had not ended[^]*recv\(\d+, 64, MSG_PEEK\)/,
    { noticed: "server", state: "timeout" },
  ],
  [PEEK_REST, "server", "peek begins anew", peekBeginsAnew, /64 bytes came, expected 63/],
  [PEEK_REST, "server", "peek consumes", peekConsumes, /end of file after 0 bytes/],
  [PEEK_REST, "server", "peek shows other data", peekShowsOtherData, /against .* byte 0/],
  [NOWHERE, "client", "data is lost at EFAULT", nowhereLosesData, /recv\(512, .*DONTWAIT.*EAGAIN/],
  [
    NOWHERE,
    "client",
    "recv() stores at address 0",
    neverFails("recv", (into) => into.length),
    /expected EFAULT, but it returned 512/,
  ],
  [
    NOWHERE,
    "client",
    "EFAULT is another errno",
    errsWith("recv", "EFAULT", "ENOMEM"),
    /expected EFAULT, got recv.*ENOMEM/,
  ],
  [JOINED, "server", "part read comes again", partComesAgain, /the rest: byte/],
  [JOINED, "server", "appended data is lost", appendedIsLost, /had not ended[^]*recv/, {
    state: "timeout",
  }],
  [
    JOINED,
    "server",
    "more comes than was sent",
    neverFails("recv", () => 1),
    /expected EAGAIN, but it returned 1/,
  ],
  [JOINED, "client", "send() flips a bit", sendFlipsABit, /the rest: byte 0/, {
    noticed: "server",
  }],
  [SMALL, "server", "poll() never wakes up", pollNeverWakes, /POLLIN when the .* not set/],
  [SMALL, "client", "connection is reset", resetAfter(1000), /after \d+ bytes: .*ECONNRESET/],
  [SMALL, "client", "packets lose a byte", sendHereDrops, /end of file after \d+ bytes/, {
    noticed: "server",
  }],
  [SMALL, "client", "packets are changed", sendHereChanges, /the hash of the data/, {
    noticed: "server",
  }],
  [LOW_WATER, "client", "SO_RCVLOWAT changes nothing", rcvlowatWithoutEffect, /expected 0, got 65/],
  [LOW_WATER, "client", "SO_RCVLOWAT is not kept", rcvlowatNotKept, /expected 128, got 1/],
  [LOW_WATER, "client", "poll() never wakes up", pollNeverWakes, /all 128 bytes: expected 65/],
  [
    LOW_WATER,
    "client",
    "recv() gives less than there is",
    replacing("recv", (recv, into, flags) => {
      return recv(into instanceof Uint8Array ? into.subarray(1) : into, flags);
    }),
    /recv\(128, MSG_DONTWAIT\).*expected 128, got 127/,
  ],
  ...refusing(OWN_WRITE),
  [
    OWN_WRITE,
    "client",
    "shutdown() does nothing",
    replacing("shutdown", () => {}),
    /send\(\): expected EPIPE, but it returned 1/,
  ],
  ...refusing(PEERS_READ),
  [
    PEERS_READ,
    "client",
    "send() takes anything",
    sendTakesAnything,
    /send\(\): expected EPIPE, but it returned 1/,
  ],
  ...crediting(ON_RCVLOWAT),
  ...crediting(BELOW_RCVLOWAT),
  [
    OWN_BUFFER,
    "client",
    "own buffer has no limit",
    ownBufferWithoutEffect,
    /expected at most 65536/,
  ],
  [OWN_BUFFER, "client", "send() takes nothing", nothingFits, /send\(\) took nothing/],
  [
    OWN_BUFFER,
    "client",
    "EAGAIN is another errno",
    errsWith("send", "EAGAIN", "ENOBUFS"),
    /expected EAGAIN, got send.*ENOBUFS/,
  ],
  [
    OWN_BUFFER,
    "server",
    "buffer size is not kept",
    optionNotKept(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, u64(262_144n)),
    /expected 2097152, got 262144/,
  ],
];
