/**
 * Connections of which one direction has ended, wrongly.
 *
 * @module
 */
import { endIsAReset, recvChangesData, sendFlipsABit, sendTakesAnything } from "./data.ts";
import { errsWith, type Row } from "./mutation.ts";

const TYPES = ["stream", "seqpacket"] as const;
const epipeIsAReset = errsWith("send", "EPIPE", "ECONNRESET");

function ending(type: typeof TYPES[number]): Row[] {
  const requests = (["client", "server"] as const).flatMap((asker): Row[] => [
    [
      `half-close/request/${type}-from-${asker}`,
      asker,
      "send() takes anything",
      sendTakesAnything,
      /send\(\) after shutdown\(SHUT_WR\): expected EPIPE, but it returned 1/,
    ],
    [
      `half-close/request/${type}-from-${asker}`,
      asker,
      "recv() flips a bit",
      recvChangesData,
      /the answer, behind one's own shutdown\(SHUT_WR\): byte/,
    ],
  ]);
  const ends = ["unread", "all-read"].map((how): Row => [
    `half-close/after-peers-close/${type}-${how}`,
    "server",
    "end is a reset",
    endIsAReset,
    /recv\(1\): recv.*ECONNRESET/,
  ]);
  return [
    ...requests,
    [
      `half-close/read-side/${type}-ends-at-once`,
      "client",
      "EPIPE is another errno",
      epipeIsAReset,
      /expected EPIPE, got send.*ECONNRESET/,
    ],
    [
      `half-close/read-side/${type}-ends-at-once`,
      "server",
      "end is a reset",
      endIsAReset,
      /recv\(1\): recv.*ECONNRESET/,
    ],
    ...ends,
    [
      `half-close/both-directions/${type}-keeps-what-was-sent`,
      "client",
      "send() flips a bit",
      sendFlipsABit,
      /what was received: byte/,
      { noticed: "server" },
    ],
  ];
}

/** Half-close. */
export const mutations: readonly Row[] = [
  ...TYPES.flatMap(ending),
  [
    "half-close/large-send/ended-at-once",
    "client",
    "send() flips a bit",
    sendFlipsABit,
    /what was received: byte 524288/,
    { noticed: "server" },
  ],
  [
    "half-close/shutdown/adds-up",
    "client",
    "EPIPE is another errno",
    epipeIsAReset,
    /send\(\) after both: expected EPIPE, got send.*ECONNRESET/,
  ],
];
