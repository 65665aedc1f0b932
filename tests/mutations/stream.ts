/**
 * What the cases of stream/ must notice.
 *
 * @module
 */
import type { Role } from "../../core/case.ts";
import { creditMutations } from "./stream_credit.ts";
import {
  acceptOnce,
  closeDropsData,
  closeEndsNothing,
  closeFails,
  closeTakes,
  connectAnyway,
  connectOnce,
  connectRefused,
  epipeIsReset,
  lateConnectionsErr,
  lingerFails,
  oneFailureIsForEver,
  portStaysTaken,
} from "./connections.ts";
import {
  endIsAReset,
  endIsDataAgain,
  peekBeginsAnew,
  peekConsumes,
  peekOfNothingIsTheEnd,
  peekShowsOtherData,
  sendFlipsABit,
  sendLosesLastByte,
  sendTakesAnything,
} from "./data.ts";
import {
  errsWith,
  failsAfterwards,
  neverFails,
  pollNeverWakes,
  replacing,
  type Row,
} from "./mutation.ts";
import {
  alwaysSigpipe,
  appendedIsLost,
  noSigpipe,
  nowhereLosesData,
  partComesAgain,
  rcvlowatNotKept,
  rcvlowatWithoutEffect,
  resetAfter,
  sendHereChanges,
  sendHereDrops,
} from "./streams.ts";

const RESET = "stream/connect/refused-without-socket";
const BIND = "stream/connect/refused-by-bound-socket";
const HUNDRED = "stream/connect/hundred-at-once";
const AGAIN = "stream/connect/same-port-again";
const RETRY = "stream/connect/retry-after-failure";
const RACE = "stream/accept-queue/closed-while-connecting";
const CROWD = "stream/accept-queue/closed-all-the-time";
const CLIENT_CLOSE = "stream/close/by-client-keeps-data";
const LEFT = "stream/unread/close-leaves-nothing";
const SERVER_CLOSE = "stream/close/by-server-keeps-data";
const LINGER = "stream/linger/close-after-nothing-sent";
const UNREAD = "stream/linger/no-wait-for-unread";
const PEEK = "stream/msg-peek/leaves-data";
const PEEK_REST = "stream/msg-peek/after-partial-recv";
const NOWHERE = "stream/receive-buffer/null-keeps-data";
const JOINED = "stream/packets/joined-after-partial-read";
const SMALL = "stream/packets/small-ones-keep-connection";
const LOW_WATER = "stream/rcvlowat/poll-waits-for-all";
const OWN_WRITE = "stream/shutdown/own-write-is-epipe";
const PEERS_READ = "stream/shutdown/peers-read-is-epipe";

function closing(id: string, reader: Role, writer: Role): Row[] {
  return [
    [id, reader, "end is a reset", endIsAReset, /ECONNRESET/],
    [id, reader, "end is data again", endIsDataAgain, /after the last byte: expected 0, got 1/],
    [id, reader, "data is lost at the end", closeDropsData, /end of file after 0 bytes/],
    [id, reader, "send() takes anything", sendTakesAnything, /expected EPIPE, but it returned 1/],
    [id, reader, "EPIPE is another errno", epipeIsReset, /expected EPIPE, got send.*ECONNRESET/],
    [id, writer, "send() loses the last byte", sendLosesLastByte, /end of file after 0 bytes/, {
      noticed: reader,
    }],
  ];
}

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

/** Sockets whose streams, or whose connections, are wrong. */
export const mutations: readonly Row[] = [
  ...[RESET, BIND].flatMap((id): Row[] => [
    [id, "client", "connect() is refused", connectRefused, /got connect\(.*ECONNREFUSED/],
    [id, "client", "connect() always succeeds", connectAnyway, /but it returned undefined/],
  ]),
  [HUNDRED, "client", "late connections err", lateConnectionsErr, /expected 65, got 0/],
  [HUNDRED, "client", "send() flips a bit", sendFlipsABit, /expected 65, got 64/, {
    noticed: "server",
  }],
  [
    AGAIN,
    "client",
    "closed socket keeps its port",
    portStaysTaken,
    /bind\(\) number 2.*EADDRINUSE/,
  ],
  [AGAIN, "client", "second connect() is reset", connectOnce, /connect\(\) number 2.*RESET/],
  [
    AGAIN,
    "client",
    "bind() does nothing",
    replacing("bind", () => {}),
    /the peer's port, number 1/,
    {
      noticed: "server",
    },
  ],
  [AGAIN, "server", "second accept() fails", acceptOnce, /accept\(\) number 2/],
  [RETRY, "client", "connect() is refused", connectRefused, /got connect\(.*ECONNREFUSED/],
  [RETRY, "client", "connect() always succeeds", connectAnyway, /but it returned undefined/],
  [
    RETRY,
    "client",
    "sockets fail for ever once they failed",
    oneFailureIsForEver,
    /connect\(\) on the same socket.*EINVAL/,
  ],
  [
    RACE,
    "client",
    "connect() times out",
    failsAfterwards("connect", "ETIMEDOUT"),
    /connect.*ETIMEDOUT/,
  ],
  [
    CROWD,
    "client",
    "connect() waits though it must not",
    replacing("connectHere", () => {}),
    /connect\(\) that does not wait: got undefined/,
  ],
  ...closing(CLIENT_CLOSE, "server", "client"),
  ...closing(SERVER_CLOSE, "client", "server"),
  [LINGER, "client", "SO_LINGER is unknown", lingerFails, /setsockopt\(SO_LINGER\).*ENOPROTOOPT/],
  [LINGER, "client", "close() fails", closeFails, /close\(\).*EIO/],
  [LINGER, "client", "close() ends nothing", closeEndsNothing, /had not ended[^]*poll/, {
    noticed: "server",
    state: "timeout",
  }],
  [LEFT, "server", "poll() never wakes up", pollNeverWakes, /POLLIN when all .* not set/],
  [LEFT, "server", "peek shows other data", peekShowsOtherData, /the unread data: byte 0/],
  [LEFT, "server", "close() fails", closeFails, /close\(\).*EIO/],
  [LEFT, "server", "close() ends nothing", closeEndsNothing, /had not ended[^]*poll/, {
    noticed: "client",
    state: "timeout",
  }],
  [LEFT, "client", "send() flips a bit", sendFlipsABit, /the unread data: byte 64/, {
    noticed: "server",
  }],
  [UNREAD, "client", "close() waits for the peer", closeTakes(5_000_000_000n), /took 5.00 s/],
  [UNREAD, "client", "unread data is lost at close()", sendLosesLastByte, /end of file after 0/, {
    noticed: "server",
  }],
  [UNREAD, "client", "close() fails", closeFails, /close\(\).*EIO/],
  [
    UNREAD,
    "client",
    "SIOCOUTQ counts what is unread",
    replacing("ioctlInt", () => 1),
    /after the data arrived: expected 0, got 1/,
  ],
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
  ...creditMutations,
];
