/**
 * Wrong windows, and data that is wrong behind them.
 *
 * @module
 */
import { POLLIN, SO_ERROR } from "../../sys/constants.ts";
import {
  countsLess,
  pollHides,
  recvCountsLess,
  sendCountsLess,
  sendHereFlipsABit,
  windowTakesAByteMore,
} from "./calls.ts";
import { peekShowsOtherData, recvChangesData, sendFlipsABit, sendTakesAnything } from "./data.ts";
import { replacing, type Row } from "./mutation.ts";

const MORE = "window takes a byte more than it has";
const TYPES = ["stream", "seqpacket"] as const;

/** ECONNRESET for ever. */
const errorStays = replacing(
  "getInt",
  (getInt, level, option) => option === SO_ERROR ? 104 : getInt(level, option),
);
const sendmsgCountsLess = replacing(
  "sendmsg",
  async (sendmsg, ...args) => await sendmsg(...args) - 1,
);

function windows(type: typeof TYPES[number]): Row[] {
  const id = (claim: string) => `flow/window/${type}-${claim}`;
  return [
    [
      id("fills-exactly"),
      "client",
      MORE,
      windowTakesAByteMore,
      /window: expected 262144, got 262145/,
    ],
    [
      id("fills-exactly"),
      "server",
      MORE,
      windowTakesAByteMore,
      /other way: expected 262144, got 2621/,
    ],
    [
      id("bound-by-peers-buffer"),
      "client",
      MORE,
      windowTakesAByteMore,
      /into the server's buffer: expected \d+, got \d+/,
    ],
    [
      id("bound-by-peers-buffer"),
      "server",
      MORE,
      windowTakesAByteMore,
      /into the client's buffer: expected \d+, got \d+/,
    ],
    [
      id("bound-by-own-buffer"),
      "client",
      MORE,
      windowTakesAByteMore,
      /into one's own buffer: expected \d+, got \d+/,
    ],
    [
      id("shrunk-below-what-is-sent"),
      "client",
      MORE,
      windowTakesAByteMore,
      /into no window: expected 0, got 1/,
    ],
    [
      id("grown-without-reading"),
      "client",
      MORE,
      windowTakesAByteMore,
      /fits into the window: expected 262144, got 262145/,
    ],
  ];
}

function data(type: typeof TYPES[number]): Row[] {
  const id = (claim: string) => `flow/data/${type}-${claim}`;
  return [
    [
      id("at-every-size"),
      "client",
      "send() flips a bit",
      sendFlipsABit,
      /one send\(1\): byte 0 is/,
      {
        noticed: "server",
      },
    ],
    [
      id("at-every-size"),
      "client",
      "send() says less than it took",
      sendCountsLess,
      /send\(1\) took/,
    ],
    [id("both-ways-at-once"), "client", "send() flips a bit", sendFlipsABit, /one send.*: byte/, {
      noticed: "server",
    }],
    [id("both-ways-at-once"), "client", "recv() flips a bit", recvChangesData, /one send.*: byte/],
  ];
}

/** Flow. */
export const mutations: readonly Row[] = [
  ...TYPES.flatMap(windows),
  [
    "flow/credit/exactly-what-was-read",
    "client",
    MORE,
    windowTakesAByteMore,
    /the window: expected/,
  ],
  [
    "flow/credit/vectored-send-takes-what-fits",
    "client",
    "sendmsg() says less than it took",
    sendmsgCountsLess,
    /of 300000 bytes: expected 212143, got 212142/,
  ],
  [
    "flow/credit/send-larger-than-buffer",
    "server",
    "recv() flips a bit",
    recvChangesData,
    /what was received: byte/,
  ],
  [
    "flow/credit/whole-window-at-once",
    "client",
    "send() takes anything",
    sendTakesAnything,
    /expected EAGAIN, but it returned 1/,
  ],
  ...TYPES.flatMap((type): Row[] => [
    [
      `flow/credit/${type}-failed-send-costs-nothing`,
      "client",
      MORE,
      windowTakesAByteMore,
      /20 sends have failed: expected 262144, got 262145/,
    ],
    [
      `flow/credit/${type}-peek-gives-none`,
      "client",
      MORE,
      windowTakesAByteMore,
      /what fits into the window: expected 262144, got 262145/,
    ],
  ]),
  [
    "flow/credit/read-in-part-and-filled",
    "server",
    "SO_ERROR stays",
    errorStays,
    /SO_ERROR of the reader: expected 0, got 104/,
  ],
  [
    "flow/credit/lost-messages-come-back",
    "client",
    MORE,
    windowTakesAByteMore,
    /what fits into the window: expected 262144, got 262145/,
  ],
  ...TYPES.flatMap(data),
  [
    "flow/data/msg-more-keeps-nothing-back",
    "server",
    "poll() never sees POLLIN",
    pollHides(POLLIN),
    /poll\(\) that waits for 10 bytes: expected "POLLIN", got "0"/,
  ],
  [
    "flow/connections/each-has-its-own-credit",
    "client",
    MORE,
    windowTakesAByteMore,
    /what fits into the first: expected 262144, got 262145/,
  ],
  [
    "flow/connections/full-one-holds-no-other",
    "client",
    "send() flips a bit",
    sendFlipsABit,
    /what came over the third: byte/,
    { noticed: "server" },
  ],
  [
    "flow/connections/three-hundred-kept-apart",
    "client",
    "send() flips a bit",
    sendHereFlipsABit,
    /connection 0: byte 2 is/,
    { noticed: "server" },
  ],
  ...(["client", "server"] as const).map((sender): Row => [
    `flow/long/more-than-4-gib-from-${sender}`,
    sender,
    "send() flips a bit",
    sendFlipsABit,
    /piece 0, from byte 0 on: byte/,
    { noticed: sender === "client" ? "server" : "client" },
  ]),
  [
    "flow/long/quiet-direction",
    "server",
    "send() flips a bit",
    sendFlipsABit,
    /recv\(1\)|expected 65|byte/,
    { noticed: "client" },
  ],
  ...[4, 32].map((mebibytes): Row => [
    `flow/data/${mebibytes}-mib-to-a-slow-reader`,
    "server",
    "send() flips a bit",
    sendFlipsABit,
    /from byte 0 on: byte/,
    { noticed: "client" },
  ]),
  [
    "flow/data/sendfile-and-splice",
    "client",
    "sendfile() says less than it sent",
    countsLess("sendfile"),
    /sendfile\(\) sent: expected 700001, got/,
  ],
  [
    "flow/data/sendfile-and-splice",
    "server",
    "splice() says less than it moved",
    countsLess("splice"),
    /splice\(\) moved: expected 700001 bytes, got/,
  ],
  [
    "flow/data/peeks-of-odd-sizes",
    "server",
    "peek shows other data",
    peekShowsOtherData,
    /a peek at 1 bytes shows: byte 0/,
  ],
  [
    "flow/data/peeks-of-odd-sizes",
    "server",
    "recv() says less than it gave",
    recvCountsLess,
    /: byte \d+ is|end of file/,
  ],
  [
    "flow/data/small-sends-to-a-late-reader",
    "client",
    "send() flips a bit",
    sendHereFlipsABit,
    /what was received: byte 50/,
    { noticed: "server" },
  ],
];
