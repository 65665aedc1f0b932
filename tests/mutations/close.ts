/**
 * Connections that are closed and made again, wrongly.
 *
 * @module
 */
import { SHUT_RDWR } from "../../sys/constants.ts";
import { sendCountsLess } from "./calls.ts";
import { endIsAReset, sendFlipsABit, sendLosesLastByte } from "./data.ts";
import type { Mutate, Row } from "./mutation.ts";

const TYPES = ["stream", "seqpacket"] as const;

/** close() ends the connection, whoever else has the socket. */
const closeShutsDown: Mutate = (Base) =>
  class extends Base {
    override close() {
      this.shutdown(SHUT_RDWR);
      return super.close();
    }
  };

const LESS = /what was sent before the end: expected 200000 bytes, got 199999/;

function closing(type: typeof TYPES[number]): Row[] {
  const early = [`data-survives/${type}-1-s-from-client`, `data-survives/${type}-9-s-from-client`];
  return [
    ...[...early, `killed/${type}-keeps-data`].map((claim): Row => [
      `close/${claim}`,
      "client",
      "send() loses the last byte",
      sendLosesLastByte,
      LESS,
      { noticed: "server" },
    ]),
    [
      `close/unread-input/${type}-plain`,
      "client",
      "end is a reset",
      endIsAReset,
      /recv\(1\): recv.*ECONNRESET/,
    ],
    [
      `close/dup/${type}-ends-with-the-last`,
      "client",
      "close() ends the connection",
      closeShutsDown,
      /recv\(\d+|send\(100/,
    ],
    ...["client-closes-first", "server-closes-first", "old-one-open"].map((claim): Row => [
      `close/same-addresses/${type}-${claim}`,
      "client",
      "send() flips a bit",
      sendFlipsABit,
      /what came over connection \d: byte 25/,
      { noticed: "server" },
    ]),
  ];
}

/** Closing. */
export const mutations: readonly Row[] = [
  ...TYPES.flatMap(closing),
  [
    "close/data-survives/stream-1-s-from-server",
    "server",
    "send() loses the last byte",
    sendLosesLastByte,
    LESS,
    { noticed: "client" },
  ],
  [
    "close/unread-input/stream-linger-0",
    "client",
    "end is a reset",
    endIsAReset,
    /recv\(1\): recv.*ECONNRESET/,
  ],
  [
    "close/short-connections/use-up-nothing",
    "client",
    "send() says less than it took",
    sendCountsLess,
    /send\(\) \d+ took less than 1000 bytes/,
  ],
];
