/**
 * Events that do not come, and calls that end wrongly while they wait.
 *
 * @module
 */
import { POLLHUP, POLLIN, POLLWRNORM } from "../../sys/constants.ts";
import {
  pollHides,
  recvCountsLess,
  recvLeavesData,
  sendCountsLess,
  sendDoesNothing,
  windowTakesAByteMore,
} from "./calls.ts";
import { endIsAReset } from "./data.ts";
import { errsWith, replacing, type Row } from "./mutation.ts";

const TYPES = ["stream", "seqpacket"] as const;
/** So that what does not come is waited for 5 s, in milliseconds. */
const deadline = 30_000;

const connectDoesNothing = replacing("connect", () => Promise.resolve());
const epipeIsAReset = errsWith("send", "EPIPE", "ECONNRESET");

function waiting(type: typeof TYPES[number]): Row[] {
  const recv = ["own-shutdown/*-recv-shut-rd", "own-shutdown/*-recv-shut-rdwr"];
  const send = ["own-shutdown/*-send-shut-wr", "own-shutdown/*-send-shut-rdwr"];
  recv.push("peers-end/*-recv-shut-wr", "peers-end/*-recv-close");
  send.push("peers-end/*-send-shut-rd", "peers-end/*-send-close");
  const id = (claim: string) => `events/${claim.replace("*", type)}`;
  return [
    ...recv.map((claim): Row => [
      id(claim),
      "client",
      "end is a reset",
      endIsAReset,
      /recv\(\) that waited: recv.*ECONNRESET/,
    ]),
    ...send.map((claim): Row => [
      id(claim),
      "client",
      "EPIPE is another errno",
      epipeIsAReset,
      /send\(\) that waited: expected EPIPE, got send.*ECONNRESET/,
    ]),
    [
      id("own-close/*-recv-goes-on"),
      "client",
      "recv() says less than it gave",
      recvCountsLess,
      /recv\(\) gives that waited: expected 10, got 9/,
    ],
  ];
}

function polling(type: typeof TYPES[number]): Row[] {
  const id = (claim: string) => `events/${claim.replace("*", type)}`;
  const noPollin = pollHides(POLLIN);
  return [
    [
      id("poll/*-every-end"),
      "client",
      "poll() never sees POLLHUP",
      pollHides(POLLHUP),
      /with SHUT_WR when the peer calls SHUT_WR: expected .*POLLHUP/,
      { deadline },
    ],
    [
      id("poll/*-unconnected-and-listening"),
      "server",
      "poll() never sees POLLIN",
      noPollin,
      /that waits for a connection sees: expected "POLLIN", got "0"/,
    ],
    [
      id("poll/*-wakes-up"),
      "server",
      "poll() never sees POLLIN",
      noPollin,
      /for DATA sees: expected/,
    ],
    [
      id("poll/*-normal-data"),
      "server",
      "poll() does not know POLLWRNORM",
      pollHides(POLLWRNORM),
      /without data: expected "POLLOUT\|POLLWRNORM", got "POLLOUT"/,
    ],
    [
      id("epoll/*-one-edge-per-arrival"),
      "client",
      "send() does nothing",
      sendDoesNothing,
      /by edge, at the first arrival: expected \[1\], got \[\]/,
      { noticed: "server", deadline },
    ],
    [
      id("epoll/*-level-until-read"),
      "server",
      "recv() leaves what it gives",
      recvLeavesData,
      /by level, when all was read: expected \[\]/,
    ],
    [
      id("epoll/*-edge-when-room-comes"),
      "client",
      "window takes a byte more than it has",
      windowTakesAByteMore,
      /fits into the window: expected 262144, got 262145/,
    ],
  ];
}

/** Events. */
export const mutations: readonly Row[] = [
  ...TYPES.flatMap(polling),
  [
    "events/epoll/listener-edge",
    "client",
    "connect() does nothing",
    connectDoesNothing,
    /of a listener with a connection: expected \[1\], got \[\]/,
    { noticed: "server", deadline },
  ],
  ...TYPES.flatMap(waiting),
  [
    "events/peers-end/all-told-of-shut-rdwr",
    "client",
    "EPIPE is another errno",
    epipeIsAReset,
    /send\(\): expected EPIPE, got send.*ECONNRESET/,
  ],
  [
    "events/timeout/send-short-then-eagain",
    "client",
    "send() says less than it took",
    sendCountsLess,
    /until its time was over: expected 262144, got 262143/,
  ],
];
