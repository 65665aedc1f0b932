/**
 * What the cases of zerocopy/ must notice.
 *
 * @module
 */
import {
  MSG_ERRQUEUE,
  MSG_ZEROCOPY,
  POLLERR,
  SO_EE_CODE_ZEROCOPY_COPIED,
  SO_ZEROCOPY,
  SOL_SOCKET,
} from "../../sys/constants.ts";
import type { Socket } from "../../sys/socket.ts";
import { type Bytes, type ControlMessage, int } from "../../sys/structs.ts";
import {
  peekConsumes,
  readChangesData,
  recvChangesData,
  sendFlipsABit,
  sendLosesLastByte,
} from "./data.ts";
import {
  errsWith,
  failsAfterwards,
  type Mutate,
  neverFails,
  optionNotKept,
  replacing,
  type Row,
} from "./mutation.ts";

const EMPTY = "zerocopy/error-queue/empty-is-eagain";
const UNREAD = "zerocopy/error-queue/closed-unread";
const MANY_UNREAD = "zerocopy/error-queue/unread-leaks-nothing";
const NO_MEMORY = "zerocopy/send/without-memory-is-enomem";
const JOINED = "zerocopy/coalescence/keeps-data";

/** SO_ZEROCOPY is taken, given back as it was set, and stays off. */
const zerocopyStaysOff: Mutate = (Base) =>
  class extends Base {
    override setsockopt(level: number, option: number, value: Bytes): void {
      const isIt = level === SOL_SOCKET && option === SO_ZEROCOPY;
      super.setsockopt(level, option, isIt ? int(0) : value);
    }

    override getsockopt(level: number, option: number, size: number): Bytes {
      const value = super.getsockopt(level, option, size);
      return level === SOL_SOCKET && option === SO_ZEROCOPY ? int(1) : value;
    }
  };

const noPollerr = replacing("poll", async (poll, ...args) => await poll(...args) & ~POLLERR);
const alwaysPollerr = replacing("poll", async (poll, ...args) => await poll(...args) | POLLERR);

/** Completions say something else than they must. */
function changingControl(change: (message: ControlMessage) => ControlMessage): Mutate {
  return replacing("recvmsg", async (recvmsg, vectors, flags, control) => {
    const message = await recvmsg(vectors, flags, control);
    return { ...message, control: message.control.map(change) };
  });
}

/** The byte of a struct sock_extended_err that has ee_errno, ee_origin or ee_code is another. */
const changingError = (at: 0 | 4 | 6, mask: number) =>
  changingControl((message) => ({
    ...message,
    data: message.data.map((byte, i) => i === at ? byte ^ mask : byte),
  }));

const noControl = replacing("recvmsg", async (recvmsg, ...args) => {
  return { ...await recvmsg(...args), control: [] };
});

const sendmsgLosesLastByte = replacing("sendmsg", async (sendmsg, vectors, ...rest) => {
  const last = vectors.at(-1);
  if (last === undefined || last instanceof Uint8Array) return await sendmsg(vectors, ...rest);
  const shorter = [...vectors.slice(0, -1), { address: last.address, length: last.length - 1 }];
  return await sendmsg(shorter, ...rest) + 1;
});

const sendmsgTakesAnything = neverFails(
  "sendmsg",
  (vectors) => vectors.reduce((sum, { length }) => sum + length, 0),
);

function sending(id: string): Row[] {
  const client = (what: string, mutate: Mutate, reason: RegExp): Row => [
    id,
    "client",
    what,
    mutate,
    reason,
  ];
  return [
    client("completions never come", noPollerr, /with a completion due: expected true, got false/),
    client(
      "completions come unasked",
      alwaysPollerr,
      /no completion due: expected false, got true/,
    ),
    client(
      "completion tells a copy from none wrongly",
      changingError(6, SO_EE_CODE_ZEROCOPY_COPIED),
      /whether it was copied: expected false, got true/,
    ),
    client("completion has an errno", changingError(0, 12), /ee_errno: expected 0, got 12/),
    client("completion is of another origin", changingError(4, 1), /ee_origin: expected 5, got 4/),
    client(
      "completion is of another level",
      changingControl((message) => ({ ...message, level: 0 })),
      /cmsg_level: expected 287, got 0/,
    ),
    client(
      "completion is of another type",
      changingControl((message) => ({ ...message, type: 11 })),
      /cmsg_type: expected 1, got 11/,
    ),
    client("completion says nothing", noControl, /the completion has no control message/),
    client("sendmsg() takes a hole", sendmsgTakesAnything, /expected ENOMEM, but it returned/),
    client(
      "ENOMEM is another errno",
      errsWith("sendmsg", "ENOMEM", "EFAULT"),
      /expected ENOMEM, got sendmsg.*EFAULT/,
    ),
    client(
      "SO_ZEROCOPY is not kept",
      optionNotKept(SOL_SOCKET, SO_ZEROCOPY, int(0)),
      /expected 1, got 0/,
    ),
    [id, "client", "sendmsg() loses a byte", sendmsgLosesLastByte, /how much arrived: expected/, {
      noticed: "server",
    }],
    [id, "server", "read() changes data", readChangesData, /the hash of the data/],
  ];
}

const errorQueueIsDataQueue = replacing("recvmsg", (recvmsg, vectors, flags = 0, control) => {
  return recvmsg(vectors, flags & ~MSG_ERRQUEUE, control);
});

const onlyZerocopy = (mutate: Mutate): Mutate => (Base) => {
  const Mutated = mutate(Base);
  return class extends Base {
    override send(...[data, flags = 0]: Parameters<Socket["send"]>): Promise<number> {
      const Chosen = flags & MSG_ZEROCOPY ? Mutated : Base;
      return Chosen.prototype.send.call(this, data, flags);
    }
  };
};

/** Sockets that err with MSG_ZEROCOPY, and in the error queue. */
export const mutations: readonly Row[] = [
  ...sending("zerocopy/send/stream-completes"),
  ...sending("zerocopy/send/seqpacket-completes"),
  [
    EMPTY,
    "client",
    "MSG_ERRQUEUE changes nothing",
    errorQueueIsDataQueue,
    /EAGAIN, but it returned/,
  ],
  [
    EMPTY,
    "client",
    "EAGAIN is another errno",
    errsWith("recvmsg", "EAGAIN", "EOPNOTSUPP"),
    /expected EAGAIN, got recvmsg.*EOPNOTSUPP/,
  ],
  [UNREAD, "client", "poll() hides POLLERR", noPollerr, /the flag is not set in 0x/],
  [UNREAD, "client", "close() fails", failsAfterwards("close", "EIO"), /close\(\).*EIO/],
  [
    UNREAD,
    "client",
    "completions never come",
    zerocopyStaysOff,
    /had not ended[^]*poll/,
    {
      state: "timeout",
    },
  ],
  [UNREAD, "client", "send() flips a bit", sendFlipsABit, /expected 65, got 64/, {
    noticed: "server",
  }],
  [MANY_UNREAD, "client", "poll() hides POLLERR", noPollerr, /the flag is not set in 0x/],
  [
    NO_MEMORY,
    "client",
    "sendmsg() does without",
    neverFails("sendmsg", () => 1),
    /expected ENOMEM, but it returned 1/,
  ],
  [
    NO_MEMORY,
    "client",
    "ENOMEM is another errno",
    errsWith("sendmsg", "ENOMEM", "ENOBUFS"),
    /expected ENOMEM, got sendmsg.*ENOBUFS/,
  ],
  [JOINED, "client", "completion never comes", noPollerr, /POLLERR after send/],
  [
    JOINED,
    "client",
    "second packet is changed",
    onlyZerocopy(sendFlipsABit),
    /the hash of the data sent with MSG_ZEROCOPY/,
    { noticed: "server" },
  ],
  [
    JOINED,
    "client",
    "second packet loses a byte",
    onlyZerocopy(sendLosesLastByte),
    // The server waits for it without reading, so that nothing is completed.
    /POLLERR after send/,
  ],
  [JOINED, "server", "recv() changes data", recvChangesData, /the hash of the data sent with/],
  [JOINED, "server", "peek consumes", peekConsumes, /end of file|had not ended/],
];
