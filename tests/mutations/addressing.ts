/**
 * What the cases of addressing/ must notice.
 *
 * @module
 */
import { VMADDR_CID_HOST, VMADDR_PORT_ANY } from "../../sys/constants.ts";
import type { SocketType } from "../../sys/socket.ts";
import {
  acceptsFrom,
  alwaysHasPeer,
  bindAnyway,
  bindDoesNothing,
  bindIgnoresCid,
  bindIgnoresFlags,
  bindMoves,
  comesFromHost,
  connectAnyway,
  connectIgnoresFlags,
  namedAs,
  portIsTakenEverywhere,
  refusesLocalCid,
} from "./addresses.ts";
import { portStaysTaken } from "./connections.ts";
import { errsWith, failure, replacing, type Row } from "./mutation.ts";
import type { ShownElsewhere } from "./mutation.ts";

const TYPES = ["stream", "seqpacket"] as const;

function binding(type: SocketType): Row[] {
  const id = (claim: string) => `addressing/bind/${type}-${claim}`;
  return [
    [id("each-local-cid"), "client", "bind() refuses CID 1", refusesLocalCid, /CID 1: .*NOTAVAIL/],
    [id("each-local-cid"), "client", "bind() ignores the CID", bindIgnoresCid, /after bind.*CID 1/],
    [id("foreign-cid"), "client", "bind() takes any CID", bindAnyway, /CID 57005: .*returned/],
    [id("foreign-cid"), "client", "bind() ignores the CID", bindIgnoresCid, /bind\(\) to CID 0/],
    [
      id("foreign-cid"),
      "client",
      "EADDRNOTAVAIL is another errno",
      errsWith("bind", "EADDRNOTAVAIL", "EINVAL"),
      /expected EADDRNOTAVAIL, got .*EINVAL/,
    ],
    [
      id("twice"),
      "client",
      "bind() can be called twice",
      bindAnyway,
      /of a bound socket: .*return/,
    ],
    [id("twice"), "client", "second bind() moves it", bindMoves, /after the second bind\(\)/],
    [
      id("unknown-flag"),
      "client",
      "bind() ignores flags",
      bindIgnoresFlags,
      /bind\(\) with svm_flags 0x80: .*returned/,
    ],
    [
      id("unknown-flag"),
      "client",
      "connect() ignores flags",
      connectIgnoresFlags,
      /connect\(\) with svm_flags 0x80: expected EINVAL, got/,
    ],
    [
      id("any-port"),
      "client",
      "port is chosen among the reserved",
      namedAs({ port: 7 }),
      /is 7, which is reserved/,
    ],
    [id("any-port"), "client", "port is not chosen", namedAs({ port: VMADDR_PORT_ANY }), /no port/],
    [
      id("any-port"),
      "client",
      "port is another socket's as well",
      namedAs({ port: 5000 }),
      /port 5000 was given to two/,
    ],
    [
      id("hundred-any-ports"),
      "client",
      "port is another socket's as well",
      namedAs({ port: 5000 }),
      /how many ports there are: expected 100, got 1/,
    ],
    [
      id("reserved-port"),
      "client",
      "bind() asks for no privilege",
      bindAnyway,
      /port 0 without CAP_NET_BIND_SERVICE: expected "EACCES"/,
    ],
    [
      id("reserved-port"),
      "client",
      "EACCES is another errno",
      errsWith("bind", "EACCES", "EPERM"),
      /expected "EACCES", got "EPERM"/,
    ],
    [
      id("reserved-port"),
      "client",
      "bind() refuses even the privileged",
      replacing("bind", () => {
        throw failure("bind(3)", "EACCES");
      }),
      /bind\(\) to port 1024 without CAP_NET_BIND_SERVICE: EACCES/,
    ],
  ];
}

function naming(type: SocketType): Row[] {
  const ports = `addressing/ports/${type}-one-socket-per-address`;
  const freed = `addressing/ports/${type}-free-after-close`;
  const alone = `addressing/names/${type}-unconnected`;
  const ends = `addressing/names/${type}-connected`;
  return [
    [
      ports,
      "client",
      "bind() takes a port twice",
      bindAnyway,
      /beside 4294967295: expected "EADDR/,
    ],
    [
      ports,
      "client",
      "bind() ignores the CID",
      bindIgnoresCid,
      /to 2 beside 1: expected undefined, got "EADDRINUSE"/,
    ],
    [
      ports,
      "client",
      "bind() takes a port at every CID",
      portIsTakenEverywhere,
      /to 2 beside 1: expected undefined, got "EADDRINUSE"/,
    ],
    [freed, "server", "closed listener keeps its port", portStaysTaken, /bind\(\) to the port/],
    [alone, "client", "getsockname() names an unbound socket", namedAs({ port: 9 }), /an unbound/],
    [alone, "client", "bind() does nothing", bindDoesNothing, /getsockname\(\) of a bound/],
    [alone, "client", "getpeername() always succeeds", alwaysHasPeer, /of a listener: .*ENOTCONN/],
    [
      ends,
      "client",
      "getsockname() gives another port",
      namedAs({ port: 77_777 }),
      /the address accept\(\) gives: expected \{.*77777/,
      { noticed: "server" },
    ],
    [ends, "client", "getpeername() gives another CID", comesFromHost, /the client's getpeername/],
    [ends, "client", "getsockname() gives a foreign CID", namedAs({ cid: 99 }), /gives CID 99/],
    [ends, "server", "accept() names another CID", acceptsFrom({ cid: 9 }), /the address accept\(/],
    [ends, "server", "getpeername() gives another CID", comesFromHost, /of what was accepted/],
    [ends, "server", "getsockname() gives another CID", namedAs({ cid: 9 }), /getsockname.*accept/],
  ];
}

/**
 * The flag is ignored, which leads to the guests of this machine, as vhost_vsock answers without one.
 * For SOCK_STREAM that is ENODEV, and so it is where the flag leads.
 */
const ignoresFlag = (id: string): Row => [
  id,
  "client",
  "connect() ignores flags",
  replacing("connect", async (connect, to) => {
    if (to.cid > VMADDR_CID_HOST) throw failure("connect(3)", "ESOCKTNOSUPPORT");
    await connect(to);
  }),
  /CID 57005 with VMADDR_FLAG_TO_HOST: expected ENODEV/,
  { unseenWithDriver: "the driver without a device answers ESOCKTNOSUPPORT, too" },
];

function reaching(type: SocketType): Row[] {
  const listen = `addressing/listen/${type}-by-cid`;
  const bound = `addressing/connect/${type}-from-bound-address`;
  const other = `addressing/connect/${type}-from-other-cid`;
  const nobody = `addressing/destination/${type}-nobody`;
  const flag = `addressing/destination/${type}-flag-to-host`;
  const own = `addressing/destination/${type}-own-cid`;
  return [
    [
      listen,
      "server",
      "bind() ignores the CID",
      bindIgnoresCid,
      /to a CID without a listener: expected ECONNRESET, but it returned/,
      { noticed: "client" },
    ],
    [
      listen,
      "server",
      "bind() takes a port at every CID",
      portIsTakenEverywhere,
      /bind\(\) to the same port: .*EADDRINUSE/,
    ],
    [
      listen,
      "client",
      "connect() is refused otherwise",
      errsWith("connect", "ECONNRESET", "ETIMEDOUT"),
      /without a listener: expected ECONNRESET, got .*ETIMEDOUT/,
    ],
    [
      bound,
      "client",
      "bind() does nothing",
      bindDoesNothing,
      /the port of the client: expected/,
      { noticed: "server" },
    ],
    [bound, "client", "bind() ignores the CID", bindIgnoresCid, /getsockname\(\): expected/],
    [bound, "server", "accept() names another CID", acceptsFrom({ cid: 9 }), /CID of the client/],
    [
      other,
      "client",
      "bind() ignores the CID",
      bindIgnoresCid,
      /connect\(\) from CID 2: expected ETIMEDOUT.*but it returned/,
    ],
    [
      other,
      "server",
      "getpeername() gives the CID that it was bound to",
      comesFromHost,
      /the CID of a client bound to 2: expected 1, got 2/,
    ],
    [nobody, "client", "connect() always succeeds", connectAnyway, /CID 57005: .*but it returned/],
    [
      nobody,
      "client",
      "connect() fails with another errno",
      errsWith("connect", ["ENODEV", "ESOCKTNOSUPPORT"], "ENETUNREACH"),
      /CID 0: expected (ENODEV|ESOCKTNOSUPPORT), got .*ENETUNREACH/,
    ],
    ...type === "seqpacket" ? [ignoresFlag(flag)] : [],
    [
      flag,
      "client",
      "connect() finds somebody who refuses it",
      errsWith("connect", ["ENODEV", "ESOCKTNOSUPPORT"], "ECONNRESET"),
      /CID 57005 with VMADDR_FLAG_TO_HOST: expected (ENODEV|ESOCKTNOSUPPORT), got .*ECONNRESET/,
    ],
    [flag, "client", "connect() always succeeds", connectAnyway, /CID 57005 with .*but it return/],
    [
      own,
      "client",
      "connect() to its own CID is refused",
      replacing("connect", () => {
        throw failure("connect(3)", "ENODEV");
      }),
      /connect\(\) to CID 1: .*ENODEV/,
    ],
    [own, "client", "getpeername() gives another CID", comesFromHost, /after connect.*to CID 1/],
    [own, "client", "accept() names another CID", acceptsFrom({ cid: 2 }), /client of CID 1/],
    [own, "client", "getsockname() gives another CID", namedAs({ cid: 9 }), /accepted at CID 1/],
  ];
}

/** Sockets that lead elsewhere, or are called otherwise. */
export const mutations: readonly Row[] = [
  ...TYPES.flatMap((type) => [...binding(type), ...naming(type), ...reaching(type)]),
  [
    "addressing/device/names-own-cid",
    "client",
    "bind() refuses every CID",
    replacing("bind", () => {
      throw failure("bind(3)", "EADDRNOTAVAIL");
    }),
    /bind\(\) to CID 2: .*EADDRNOTAVAIL/,
  ],
];

/** Devices and sysctls that err. */
export const shownElsewhere: readonly ShownElsewhere[] = [
  {
    id: "addressing/device/names-own-cid",
    on: "client",
    what: "/dev/vsock names another CID",
    noticed: "client",
    file: "suites/addressing/device_test.ts",
    test: "addressing/device/names-own-cid fails where /dev/vsock names another CID",
  },
  {
    id: "addressing/device/refuses-wrong-requests",
    on: "client",
    what: "/dev/vsock takes every request",
    noticed: "client",
    file: "suites/addressing/device_test.ts",
    test: "addressing/device/refuses-wrong-requests fails where /dev/vsock takes every request",
  },
  ...["stream", "seqpacket"].map((type) => ({
    id: `addressing/destination/${type}-fallback`,
    on: "client",
    what: "g2h_fallback changes nothing",
    noticed: "client",
    file: "suites/addressing/destination_test.ts",
    test: "fails where g2h_fallback changes nothing",
  } as const)),
];
