/**
 * connect() that begins, waits, ends or is refused otherwise than it must.
 *
 * @module
 */
import { POLLERR, SO_ERROR, VMADDR_CID_ANY, VMADDR_CID_LOCAL } from "../../sys/constants.ts";
import type { SocketType } from "../../sys/socket.ts";
import type { Address } from "../../sys/structs.ts";
import { acceptOnce } from "./connections.ts";
import {
  errsWith,
  failsAfterwards,
  failure,
  type Mutate,
  neverFails,
  pollNeverWakes,
  replacing,
  type Row,
  type ShownElsewhere,
} from "./mutation.ts";

const beginsSilently = neverFails("connectHere", () => {});
/** ECONNRESET for ever. */
const errorStays = replacing(
  "getInt",
  (getInt, level, option) => option === SO_ERROR ? 104 : getInt(level, option),
);
const noPollerr = replacing("poll", async (poll, ...args) => await poll(...args) & ~POLLERR);
const timesOutAtOnce = replacing("connect", () => {
  return Promise.reject(failure("connect(3)", "ETIMEDOUT", 1));
});
const timesOutLate = replacing("connect", async (connect, to) => {
  await connect(to).catch(() => {
    throw failure("connect(3)", "ETIMEDOUT", 5000);
  });
});

/** A second connect() is EALREADY, whatever became of the first. */
const isAlwaysUnderWay: Mutate = (Base) =>
  class extends Base {
    #begun = false;

    override connectHere(address: Address): void {
      if (this.#begun) throw failure("connect(3)", "EALREADY");
      this.#begun = true;
      super.connectHere(address);
    }
  };

/** listen() counts the first time only. */
const listensOnce: Mutate = (Base) =>
  class extends Base {
    #listens = false;

    override listen(backlog: number): void {
      if (!this.#listens) super.listen(backlog);
      this.#listens = true;
    }
  };

const holdsMore = replacing("listen", (listen, backlog) => listen(backlog + 1));
const holdsTen = replacing("listen", (listen) => listen(10));

function beginning(type: SocketType): Row[] {
  const id = (claim: string) => `connect/nonblocking/${type}-${claim}`;
  return [
    [
      id("completes"),
      "client",
      "connect() begins silently",
      beginsSilently,
      /expected EINPROGRESS/,
    ],
    [id("completes"), "client", "poll() never wakes up", pollNeverWakes, /connected: .*4, got 0/],
    [
      id("again-after-it-was-told"),
      "client",
      "connect() is under way for ever once it began",
      isAlwaysUnderWay,
      /that waits, refused: got EALREADY/,
    ],
    [id("refused"), "client", "SO_ERROR stays", errorStays, /read once: expected 0, got 104/],
    [
      id("refused"),
      "client",
      "poll() tells no POLLERR",
      noPollerr,
      /is refused: expected 12, got 4/,
    ],
    [
      id("joined-by-blocking"),
      "client",
      "connect() is always under way",
      isAlwaysUnderWay,
      /connect\(\) that waits: got EALREADY/,
    ],
  ];
}

function waiting(type: SocketType): Row[] {
  const id = (claim: string) => `connect/timeout/${type}-${claim}`;
  const beginsAgain = errsWith("connectHere", "EALREADY", "EINPROGRESS");
  return [
    [id("ends-waiting"), "client", "connect() does not wait", timesOutAtOnce, /399 ms too early/],
    [id("ends-waiting"), "client", "connect() waits too long", timesOutLate, /too late, 3 times/],
    [
      id("without-waiting"),
      "client",
      "connect() begins twice",
      beginsAgain,
      /goes on: got EINPROGRESS/,
    ],
    [
      id("without-waiting"),
      "client",
      "poll() tells no POLLERR",
      noPollerr,
      /POLLERR when the time/,
    ],
  ];
}

/** VMADDR_CID_ANY leads to loopback. */
const isHere = replacing("connect", (connect, to) => {
  return connect(to.cid === VMADDR_CID_ANY ? { ...to, cid: VMADDR_CID_LOCAL } : to);
});

function refusing(type: SocketType): Row[] {
  const state = (claim: string) => `connect/state/${type}-${claim}`;
  const refused = (claim: string) => `connect/refused/${type}-${claim}`;
  const leaves = neverFails("connectName", () => {});
  const notConnected = errsWith("connectHere", "EISCONN", "EINVAL");
  const timesOut = errsWith("connect", "ECONNRESET", "ETIMEDOUT");
  const isReset = errsWith("connect", "EPROTO", "ECONNRESET");
  return [
    [state("connected"), "client", "connect() is EINVAL", notConnected, /expected EISCONN, got/],
    [
      state("connected"),
      "client",
      "connect() takes AF_UNSPEC",
      leaves,
      /AF_UNSPEC: expected EISCONN/,
    ],
    [
      state("listening"),
      "server",
      "listener connects",
      beginsSilently,
      /listener: expected EINVAL/,
    ],
    [
      state("shut-down"),
      "client",
      "connect() succeeds",
      beginsSilently,
      /after shutdown.*EINVAL or/,
    ],
    [
      refused("leaves-no-error"),
      "client",
      "SO_ERROR stays",
      errorStays,
      /SO_ERROR after connect\(\)/,
    ],
    [
      refused("by-other-type"),
      "client",
      "refusal times out",
      timesOut,
      /number 3 to the other type/,
    ],
    [
      refused("at-any-cid"),
      "client",
      "CID_ANY is this machine",
      isHere,
      /accept\(\) afterwards: .*EAGAIN/,
      {
        unseenWithDriver: "it leads to loopback there anyway (K-6)",
      },
    ],
    [refused("by-itself"), "client", "own request is a reset", isReset, /address: expected EPROTO/],
  ];
}

function queueing(type: SocketType): Row[] {
  const id = (claim: string) => `connect/backlog/${type}-${claim}`;
  const client = { noticed: "client" } as const;
  return [
    [
      id("holds-one-more"),
      "server",
      "listen() holds two more",
      holdsMore,
      /number 2 of backlog 0: expected ECONNRESET, but it returned/,
      client,
    ],
    [
      id("changes-with-listen"),
      "server",
      "listen() counts once",
      listensOnce,
      /number 1 of backlog 1: .*ECONNRESET/,
      client,
    ],
    [
      id("bounded-by-somaxconn"),
      "server",
      "listen() holds 11",
      holdsTen,
      /connect\(\) number 12: .*ECONNRESET/,
      client,
    ],
    [
      `connect/repeated/${type}-one-by-one`,
      "server",
      "second accept() fails",
      acceptOnce,
      /accept\(\): .*ECONNRESET/,
    ],
    [
      `connect/repeated/${type}-fifty-at-once`,
      "client",
      "connect() times out",
      failsAfterwards("connect", "ETIMEDOUT"),
      /connect\(\) of number \d+: .*ETIMEDOUT/,
    ],
  ];
}

/** connect() in all its states. */
export const mutations: readonly Row[] = [
  ...(["stream", "seqpacket"] as const).flatMap((type) => [
    ...beginning(type),
    ...waiting(type),
    ...refusing(type),
    ...queueing(type),
  ]),
  [
    "connect/timeout/default-is-two-seconds",
    "client",
    "connect() does not wait",
    timesOutAtOnce,
    /1999 ms too early/,
  ],
];

/** What a socket cannot show, and a test of its own does. */
export const shownElsewhere: readonly ShownElsewhere[] = ["stream", "seqpacket"].map((type) => ({
  id: `connect/nonblocking/${type}-again-after-refusal`,
  on: "client",
  what: "connect() stays under way when it was refused",
  noticed: "client",
  file: "suites/connect/nonblocking_test.ts",
  test: "connect() after a refusal warns where it stays under way",
}));
