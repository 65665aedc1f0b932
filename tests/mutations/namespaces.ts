/**
 * What the cases of namespaces/ must notice.
 *
 * @module
 */
import type { Role } from "../../core/case.ts";
import type { Socket } from "../../sys/socket.ts";
import type { Address } from "../../sys/structs.ts";
import { failure, type Mutate, neverFails, replacing, type Row } from "./mutation.ts";
import type { ShownElsewhere } from "./mutation.ts";

const connectAnyway = neverFails("connect", () => {});
const connectRefused = replacing("connect", () => {
  throw failure("connect(3)", "ECONNRESET");
});
const connectTimesOut = replacing("connect", () => {
  throw failure("connect(3)", "ETIMEDOUT");
});
const neverAccepts = replacing("acceptHere", (): Socket => {
  throw failure("accept4(3)", "EAGAIN");
});

/** accept() gives a socket although nobody connected. */
const acceptsAnyway = neverFails("acceptHere", () => undefined as never);

/** A port is taken whatever namespace it was taken in. */
const takenEverywhere: Mutate = (Base) => {
  const ports = new Map<number, Socket>();
  return class extends Base {
    override bind(to: Address): void {
      const holder = ports.get(to.port);
      if (holder !== undefined && holder.fd >= 0) throw failure("bind(3)", "EADDRINUSE");
      super.bind(to);
      ports.set(to.port, this);
    }
  };
};

function reaching(claim: string): Row[] {
  const id = `namespaces/loopback/${claim}`;
  return [
    [id, "client", "connect() is refused", connectRefused, /connect\(\) from .*ECONNRESET/],
    [id, "client", "connection arrives nowhere", neverAccepts, /accept\(\) there: .*EAGAIN/],
  ];
}

function missing(claim: string): Row[] {
  const id = `namespaces/loopback/${claim}`;
  return [
    [
      id,
      "client",
      "connect() always succeeds",
      connectAnyway,
      /expected ECONNRESET, but it return/,
    ],
    [id, "client", "connect() finds no answer", connectTimesOut, /ECONNRESET, got .*ETIMEDOUT/],
    [id, "client", "connection arrives", acceptsAnyway, /accept\(\) there: expected "EAGAIN"/],
  ];
}

function having(where: Role): Row[] {
  const global = `namespaces/peer/${where}-in-global`;
  const local = `namespaces/peer/${where}-in-local`;
  return [
    [global, "client", "connect() is refused", connectRefused, /connect\(\): .*ECONNRESET/],
    [local, "client", "connect() always succeeds", connectAnyway, /but it returned/],
  ];
}

const PORTS = "namespaces/loopback/ports";

/** Sockets that are reached, or share ports, otherwise than their namespaces say. */
export const mutations: readonly Row[] = [
  ...reaching("global-reaches-global"),
  ...reaching("local-reaches-itself"),
  ...["global-misses-local", "local-misses-global", "local-misses-local"].flatMap(missing),
  [
    PORTS,
    "client",
    "port is taken for one namespace only",
    neverFails("bind", () => {}),
    /in a global namespace beside a global one: expected "EADDRINUSE"/,
  ],
  [PORTS, "client", "port is taken in every namespace", takenEverywhere, /local one: expected un/],
  [
    "namespaces/loopback/connection-outlives-namespace",
    "client",
    "data is lost with the namespace",
    replacing("recv", () => Promise.resolve(0)),
    /end of file after 0 bytes/,
  ],
  ...having("client"),
  ...having("server"),
];

/** Kernels whose namespaces err. */
export const shownElsewhere: readonly ShownElsewhere[] = [
  ...[
    ["mode/is-read-only", "ns_mode can be written"],
    ["mode/child-mode-is-written-once", "child_ns_mode can be written twice"],
    ["mode/child-inherits", "a child is always global"],
    ["mode/local-makes-no-global", "a local namespace has global children"],
    ["cid/same-twice", "a CID is taken for its namespace only"],
    ["cid/found-from", "a guest is found from every namespace"],
    ["loopback/seqpacket-in-local", "SOCK_SEQPACKET is refused"],
  ].map(([claim = "", what = ""]) => ({
    id: `namespaces/${claim}`,
    on: "client",
    what,
    noticed: "client",
    file: "suites/namespaces/fake_test.ts",
    test: claim.startsWith("loopback/") ? "warns where" : "fails on a kernel that",
  } as const)),
];
