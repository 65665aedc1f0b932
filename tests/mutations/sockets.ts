/**
 * Sockets made otherwise than they must be, and wrong names.
 *
 * @module
 */
import { SOCK_CLOEXEC, SOCK_STREAM, SOCK_TYPE_MASK } from "../../sys/constants.ts";
import type { CallContext } from "../../sys/descriptor.ts";
import type { Socket, SocketType } from "../../sys/socket.ts";
import type { Address, AddressFamily } from "../../sys/structs.ts";
import { failure, type Mutate, neverFails, replacing, type Row } from "./mutation.ts";

/** socket() with other numbers than those that it is given. */
const creating = (other: (type: number, protocol: number) => [number, number]): Mutate => (Base) =>
  class extends Base {
    static override create(
      family: AddressFamily,
      type: number,
      protocol: number,
      context?: CallContext,
    ): Socket {
      return super.create(family, ...other(type, protocol), context);
    }
  };

const ignoresProtocol = creating((type) => [type, 0]);
const ignoresFlags = creating((type, protocol) => [type & SOCK_TYPE_MASK, protocol]);
const makesStreams = creating(() => [SOCK_STREAM | SOCK_CLOEXEC, 0]);
const pairs: Mutate = (Base) =>
  class extends Base {
    static override pair(): Socket[] {
      return [];
    }
  };

/** A name is stored with a byte behind what there is room for. */
const writesBehind = replacing("nameInto", (nameInto, which, name, length) => {
  nameInto(which, name, length);
  if (name instanceof Uint8Array) name[name.length - 1] = 0;
});
const acceptTellsNothing = replacing("acceptHere", (accept, flags) => accept(flags));

/** The peer's name is known once. */
const forgetsPeer: Mutate = (Base) =>
  class extends Base {
    #asked = false;

    override getpeername(): Address {
      if (this.#asked) throw failure("getpeername(3)", "ENOTCONN");
      this.#asked = true;
      return super.getpeername();
    }
  };

/** A name outlives the connection. */
const remembersPeer: Mutate = (Base) =>
  class extends Base {
    #name: Address | undefined;

    override getpeername(): Address {
      return this.#name ??= super.getpeername();
    }
  };

function making(type: SocketType): Row[] {
  const id = (claim: string) => `sockets/create/${type}-${claim}`;
  return [
    [
      id("protocol"),
      "client",
      "socket() ignores the protocol",
      ignoresProtocol,
      /protocol 1: expected EPROTONOSUPPORT, but it returned/,
    ],
    [id("flags"), "client", "socket() ignores its flags", ignoresFlags, /FD_CLOEXEC of .*0x80000/],
    [id("no-pair"), "client", "socketpair() succeeds", pairs, /expected EOPNOTSUPP, but it ret/],
  ];
}

function naming(type: SocketType): Row[] {
  const id = (claim: string) => `sockets/names/${type}-${claim}`;
  const bindsAnything = neverFails("bindName", () => {});
  const connectsAnywhere = neverFails("connectName", () => {});
  return [
    [
      id("wrong-names"),
      "client",
      "bind() takes any name",
      bindsAnything,
      /bind.* 0 bytes: .*EINVAL/,
    ],
    [
      id("wrong-names"),
      "client",
      "connect() takes any name",
      connectsAnywhere,
      /connect.* 15 bytes/,
    ],
    [id("room"), "client", "name is longer than its room", writesBehind, /getsockname\(\) stores/],
    [id("room"), "server", "accept4() tells no name", acceptTellsNothing, /length that accept4/],
    [id("of-shut-down-peer"), "server", "peer is forgotten", forgetsPeer, /getpeername.*ENOTCONN/],
    [
      id("after-own-shutdown"),
      "client",
      "peer is remembered",
      remembersPeer,
      /after shutdown\(SHUT_WR\): expected ENOTCONN, but it returned/,
    ],
  ];
}

/** Making and naming sockets. */
export const mutations: readonly Row[] = [
  ...(["stream", "seqpacket"] as const).flatMap((type) => [...making(type), ...naming(type)]),
  [
    "sockets/create/unknown-types",
    "client",
    "socket() takes any type",
    makesStreams,
    /type 3: expected ESOCKTNOSUPPORT, but it returned/,
  ],
  [
    "sockets/create/no-datagrams",
    "client",
    "socket() takes datagrams",
    makesStreams,
    /after a seqpacket socket: expected ENODEV, but it returned/,
  ],
];
