/**
 * Wrong ways: connections that arrive elsewhere than they must, or come from elsewhere.
 *
 * @module
 */
import { VMADDR_CID_HOST } from "../../sys/constants.ts";
import type { SocketType } from "../../sys/socket.ts";
import {
  acceptsFrom,
  bindDoesNothing,
  bindIgnoresCid,
  comesFromHost,
  connectAnyway,
  namedAs,
  portIsTakenEverywhere,
} from "./addresses.ts";
import { errsWith, failure, replacing, type Row } from "./mutation.ts";

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

/** Where connections lead, and from where they come. */
export const ROUTES: readonly Row[] = [
  ...reaching("stream"),
  ...reaching("seqpacket"),
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
