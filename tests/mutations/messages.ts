/**
 * Wrong messages: their bounds, their flags, and what is left of one that was sent in part.
 *
 * @module
 */
import { MSG_EOR, MSG_TRUNC } from "../../sys/constants.ts";
import {
  countsLess,
  emptySendSendsAByte,
  recvCountsLess,
  recvForgetsFlags,
  recvmsgForgets,
  recvmsgMerges,
  recvmsgPeekConsumes,
  sendHereFlipsABit,
  sendmsgLosesABuffer,
} from "./calls.ts";
import { recvChangesData, sendFlipsABit } from "./data.ts";
import { failedWith, replacing, type Row } from "./mutation.ts";

const sendForgetsEor = replacing("send", (send, data, flags = 0) => send(data, flags & ~MSG_EOR));
const recvmsgSaysEor = replacing("recvmsg", async (recvmsg, ...args) => {
  const message = await recvmsg(...args);
  return { ...message, flags: message.flags | MSG_EOR };
});
/** A send() that takes a part says so. */
const sendIsShort = replacing("send", async (send, data, flags) => {
  try {
    return await send(data, flags);
  } catch (error) {
    if (failedWith(error, "EAGAIN")) return 62_144;
    throw error;
  }
});
const NEVER_MERGED = "messages/bounds/never-merged";
const PEEK = "messages/peek/shows-without-taking";

/** Messages as records. */
export const mutations: readonly Row[] = [
  [
    "messages/short-buffer/loses-the-tail",
    "server",
    "recvmsg() forgets MSG_TRUNC",
    recvmsgForgets(MSG_TRUNC),
    /MSG_TRUNC and MSG_EOR of .* room for 40: expected 32, got 0/,
  ],
  [
    "messages/short-buffer/large-tells-its-length",
    "server",
    "recv() says less than it gave",
    recvCountsLess,
    /recv\(MSG_TRUNC\) of 200000 bytes .* returns: expected 200000, got 199999/,
  ],
  [
    "messages/partial/is-no-success",
    "client",
    "send() gives a short count",
    sendIsShort,
    /MSG_DONTWAIT\): expected EAGAIN, but it returned 62144/,
  ],
  [
    "messages/eor/on-exactly-its-message",
    "client",
    "send() forgets MSG_EOR",
    sendForgetsEor,
    /MSG_TRUNC and MSG_EOR of .*: expected 128, got 0/,
    { noticed: "server" },
  ],
  [
    "messages/eor/stream-has-none",
    "server",
    "recvmsg() says MSG_EOR of all",
    recvmsgSaysEor,
    /MSG_TRUNC and MSG_EOR of .*: expected 0, got 128/,
  ],
  [
    "messages/zero-length/sends-nothing",
    "client",
    "send() of no bytes sends one",
    emptySendSendsAByte,
    /the length of the first message: expected 5, got 1/,
    { noticed: "server" },
  ],
  [PEEK, "server", "peek consumes", recvmsgPeekConsumes, /what recvmsg\(\) of|the data of recvmsg/],
  [
    PEEK,
    "server",
    "peek forgets MSG_TRUNC",
    recvmsgForgets(MSG_TRUNC),
    /MSG_TRUNC and MSG_EOR of .*: expected 32, got 0/,
  ],
  [
    NEVER_MERGED,
    "server",
    "messages are merged",
    recvmsgMerges,
    /1000 returns: expected 40, got 90/,
  ],
  [
    "messages/vectors/scattered",
    "client",
    "sendmsg() leaves out its last buffer",
    sendmsgLosesABuffer,
    /what recvmsg\(\) returns: expected 3, got 2/,
    { noticed: "server" },
  ],
  [
    "messages/waitall/stream-waits-for-all",
    "server",
    "recv() knows no flags",
    recvForgetsFlags,
    /recv\(MSG_WAITALL\) ended before 5000 bytes came/,
  ],
  [
    "messages/waitall/stream-short-at-the-end",
    "server",
    "recv() knows no flags",
    recvForgetsFlags,
    /of more than there is does not wait/,
  ],
  [
    "messages/small/three-hundred-unread",
    "client",
    "send() flips a bit",
    sendHereFlipsABit,
    /message 0 of \d+: byte/,
    { noticed: "server" },
  ],
  [
    "messages/small/two-thousand-unread",
    "client",
    "send() takes a part",
    replacing("sendHere", (send, data, flags) => send(data, flags) - 1),
    /how many were taken: expected 2000, got 0/,
  ],
  [
    "messages/large/more-than-is-left",
    "client",
    "send() flips a bit",
    sendFlipsABit,
    /message 0: byte 100000/,
    { noticed: "server" },
  ],
  [
    "messages/batch/sendmmsg-and-recvmmsg",
    "client",
    "sendmmsg() says less than it sent",
    countsLess("sendmmsg"),
    /msg_len of each message sent: expected/,
  ],
  [
    "messages/batch/sendmmsg-and-recvmmsg",
    "server",
    "recvmmsg() says less than it gave",
    countsLess("recvmmsg"),
    /how many messages recvmmsg\(\) gave: expected 40, got 39/,
  ],
  ...["nonblocking", "timed-out", "interrupted"].flatMap((how): Row[] => [
    [
      `messages/torn/${how}-send`,
      "server",
      "recv() flips a bit",
      recvChangesData,
      /the first message: byte 199999/,
    ],
    [
      `messages/torn/${how}-send`,
      "server",
      "recv() says less than it gave",
      recvCountsLess,
      /the length of the message that was sent again: expected 100000, got/,
    ],
  ]),
];
