/**
 * Calls that take a signal wrongly.
 *
 * @module
 */
import { MSG_NOSIGNAL } from "../../sys/constants.ts";
import { recvCountsLess, sendCountsLess } from "./calls.ts";
import {
  errsWith,
  failedWith,
  failsAfterwards,
  failure,
  type Mutate,
  replacing,
  type Row,
} from "./mutation.ts";
import type { Address } from "../../sys/structs.ts";

const TYPES = ["stream", "seqpacket"] as const;
const sendNeverSignals = replacing(
  "send",
  (send, data, flags = 0) => send(data, flags | MSG_NOSIGNAL),
);

/** A socket whose connect() was interrupted is reset by the peer from then on. */
const interruptedIsReset: Mutate = (Base) =>
  class extends Base {
    #interrupted = false;

    override connectHere(address: Address): void {
      if (this.#interrupted) throw failure("connect(3)", "ECONNRESET");
      try {
        super.connectHere(address);
      } catch (error) {
        this.#interrupted = failedWith(error, "EINTR");
        throw error;
      }
    }
  };

function interrupted(type: typeof TYPES[number]): Row[] {
  const id = (claim: string) => `signals/${claim.replace("*", type)}`;
  return [
    [
      id("eintr/*-recv"),
      "client",
      "EINTR is another errno",
      errsWith("recv", "EINTR", "EAGAIN"),
      /recv\(\) with a signal: expected EINTR, got recv.*EAGAIN/,
    ],
    [
      id("eintr/*-send"),
      "client",
      "EINTR is another errno",
      errsWith("send", "EINTR", "EAGAIN"),
      /send\(\) with a signal: expected EINTR, got send.*EAGAIN/,
    ],
    [
      id("restart/*-recv"),
      "client",
      "recv() says less than it gave",
      recvCountsLess,
      /what recv\(\) gives: expected 1, got 0/,
    ],
    [
      id("restart/*-recv-with-time"),
      "client",
      "EINTR is another errno",
      errsWith("recv", "EINTR", "EAGAIN"),
      /recv\(\) with a signal: expected EINTR, got recv.*EAGAIN/,
    ],
  ];
}

/** Signals. */
export const mutations: readonly Row[] = [
  ...TYPES.flatMap(interrupted),
  [
    "signals/eintr/connect",
    "client",
    "EINTR is another errno",
    errsWith("connect", "EINTR", "ETIMEDOUT"),
    /connect\(\) with a signal: expected EINTR, got connect.*ETIMEDOUT/,
  ],
  [
    "signals/eintr/accept",
    "server",
    "EINTR is another errno",
    errsWith("accept", "EINTR", "EAGAIN"),
    /accept\(\) with a signal: expected EINTR, got accept4.*EAGAIN/,
  ],
  [
    "signals/restart/accept",
    "server",
    "accept() fails in the end",
    failsAfterwards("accept", "EINTR"),
    /accept\(\): accept.*EINTR/,
  ],
  [
    "signals/short-count/stream-send",
    "client",
    "send() says less than it took",
    sendCountsLess,
    /send\(\) returns that a signal ends: expected 262144, got 262143/,
  ],
  [
    "signals/connect/called-again-after-eintr",
    "client",
    "connect() is reset for ever once it was interrupted",
    interruptedIsReset,
    /connect\(\) after EINTR: ECONNRESET, at interruption 1$/m,
  ],
  [
    "signals/sigpipe/stream-when-the-peer-closed",
    "client",
    "refused send() raises no SIGPIPE",
    sendNeverSignals,
    /how many SIGPIPE send\(\) raised: expected 1, got 0/,
  ],
  [
    "signals/sigpipe/seqpacket-when-the-peer-closed",
    "client",
    "EPIPE is another errno",
    errsWith("send", "EPIPE", "ECONNRESET"),
    /expected EPIPE, got send.*ECONNRESET/,
  ],
];
