/**
 * Wrong addresses: sockets that are bound, connected or named otherwise than they must be.
 *
 * @module
 */
import {
  VMADDR_CID_ANY,
  VMADDR_CID_HOST,
  VMADDR_CID_LOCAL,
  VMADDR_PORT_ANY,
} from "../../sys/constants.ts";
import type { SocketType } from "../../sys/socket.ts";
import type { Address } from "../../sys/structs.ts";
import { portStaysTaken } from "./connections.ts";
import { errsWith, failure, type Mutate, neverFails, replacing, type Row } from "./mutation.ts";

/** bind() never fails. */
export const bindAnyway = neverFails("bind", () => {});
/** connect() never fails. */
export const connectAnyway = neverFails("connect", () => {});
/** bind() takes every CID for any. */
export const bindIgnoresCid = replacing("bind", (bind, to) => bind({ ...to, cid: VMADDR_CID_ANY }));
/** bind() does nothing. */
export const bindDoesNothing = replacing("bind", () => {});
/** getsockname() gives something else. */
export const namedAs = (name: Partial<Address>) =>
  replacing("getsockname", (getsockname) => ({ ...getsockname(), ...name }));

const refusesLocalCid = replacing("bind", (bind, to) => {
  if (to.cid === VMADDR_CID_LOCAL) throw failure("bind(3)", "EADDRNOTAVAIL");
  bind(to);
});

/** accept() names another client. */
export const acceptsFrom = (from: Partial<Address>): Mutate =>
  replacing("accept", async (accept) => {
    const { socket, address } = await accept();
    return { socket, address: { ...address, ...from } };
  });

/** A connection comes from another machine than it does. */
export const comesFromHost = replacing("getpeername", (getpeername) => {
  return { ...getpeername(), cid: VMADDR_CID_HOST };
});

/** Unconnected sockets have a peer. */
const alwaysHasPeer = neverFails("getpeername", () => ({ cid: 2, port: 1 }));

/** A bound socket can be bound elsewhere: the rest of its life it says so. */
const bindMoves: Mutate = (Base) =>
  class extends Base {
    #moved: Address | undefined;

    override bind(to: Address): void {
      try {
        super.bind(to);
      } catch {
        this.#moved = to;
      }
    }

    override getsockname(): Address {
      return this.#moved ?? super.getsockname();
    }
  };

/** A port is taken at every CID by a socket at one. */
export const portIsTakenEverywhere: Mutate = (Base) => {
  const taken = new Map<number, Set<Address>>();
  return class extends Base {
    #own: Address | undefined;

    override bind(to: Address): void {
      const others = taken.get(to.port) ?? new Set();
      if (others.size > 0) throw failure("bind(3)", "EADDRINUSE");
      super.bind(to);
      taken.set(to.port, others.add(this.#own = to));
    }

    override [Symbol.dispose](): void {
      if (this.#own !== undefined) taken.get(this.#own.port)?.delete(this.#own);
      super[Symbol.dispose]();
    }
  };
};

/** An address without its flags. */
const withoutFlags = ({ cid, port }: Address): Address => ({ cid, port });
const bindIgnoresFlags = replacing("bind", (bind, to) => bind(withoutFlags(to)));
const connectIgnoresFlags = replacing("connect", (connect, to) => connect(withoutFlags(to)));

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

const TYPES = ["stream", "seqpacket"] as const;

/** CIDs and ports. */
export const ADDRESSES: readonly Row[] = TYPES.flatMap((type) => [
  ...binding(type),
  ...naming(type),
]);
