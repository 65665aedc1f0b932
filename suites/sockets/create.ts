/**
 * socket(2) and socketpair(2): which types, protocols and flags there are.
 *
 * @module
 */
import {
  AF_VSOCK,
  type ConformanceCase,
  defineCase,
  errorOf,
  forBothTypes,
  kernel,
  man,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_RDM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  type SocketType,
} from "../../kit/mod.ts";

/** The number of a type, as socket(2) takes it. */
function numberOf(type: SocketType): number {
  return type === "stream" ? SOCK_STREAM : SOCK_SEQPACKET;
}

/** Protocols that AF_VSOCK does not have: one beside each that it has, and the largest. */
const WRONG_PROTOCOLS = [1, AF_VSOCK - 1, AF_VSOCK + 1, 0x7fffffff];
/** What is no type of AF_VSOCK's: 0, the others that have a name, and the first without one. */
const WRONG_TYPES = [0, SOCK_RAW, SOCK_RDM, 6, 10];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `sockets/create/${type}-protocol`,
      title: `a ${type} socket has protocol 0 or AF_VSOCK's own number, and no other`,
      requirement: "socket() MUST take protocol 0 and PF_VSOCK, and fail with EPROTONOSUPPORT else",
      refs: [man("socket", 2, "EPROTONOSUPPORT"), kernel("vsock_create")],
      does: {
        client:
          `checks that a ${type} socket can be made with protocol 0 and 40, and that socket() is ` +
          "EPROTONOSUPPORT with 1, 39, 41 and 2147483647",
      },
      async client({ vsock, check }) {
        const create = (protocol: number) => () => {
          using _socket = vsock.create(numberOf(type) | SOCK_CLOEXEC, protocol);
        };
        for (const protocol of [0, AF_VSOCK]) {
          await check.succeeds(`socket() with protocol ${protocol}`, create(protocol));
        }
        for (const protocol of WRONG_PROTOCOLS) {
          const what = `socket() with protocol ${protocol}`;
          await check.fails("EPROTONOSUPPORT", what, create(protocol));
        }
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `sockets/create/${type}-flags`,
      title: `SOCK_NONBLOCK and SOCK_CLOEXEC are a ${type} socket's from the start`,
      requirement: "socket() MUST set O_NONBLOCK and FD_CLOEXEC where its flags say so, only there",
      refs: [man("socket", 2, "SOCK_NONBLOCK"), kernel("vsock_create")],
      does: {
        client:
          `makes a ${type} socket with each combination of SOCK_NONBLOCK and SOCK_CLOEXEC, and ` +
          "checks that fcntl() tells just those, and that socket() with an unknown flag fails with EINVAL",
      },
      async client({ vsock, check }) {
        for (const flags of [0, SOCK_NONBLOCK, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC]) {
          const what = `of a socket made with flags 0x${flags.toString(16)}`;
          const create = () => vsock.create(numberOf(type) | flags, 0);
          using socket = await check.succeeds("socket()", create);
          check.equal(socket.isNonblocking(), (flags & SOCK_NONBLOCK) !== 0, `O_NONBLOCK ${what}`);
          check.equal(socket.closesOnExec(), (flags & SOCK_CLOEXEC) !== 0, `FD_CLOEXEC ${what}`);
        }
        const unknown = () => vsock.create(numberOf(type) | SOCK_CLOEXEC | 0x100, 0);
        await check.fails("EINVAL", "socket() with flag 0x100", unknown);
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `sockets/create/${type}-no-pair`,
      title: `socketpair() makes no ${type} sockets`,
      requirement: "socketpair() MUST fail with EOPNOTSUPP",
      refs: [man("socketpair", 2, "EOPNOTSUPP"), kernel("vsock_create")],
      does: { client: `checks that socketpair() of ${type} sockets fails with EOPNOTSUPP` },
      async client({ vsock, check }) {
        await check.fails("EOPNOTSUPP", "socketpair()", () => vsock.pair(type).length);
      },
    })
  ),
  defineCase({
    id: "sockets/create/unknown-types",
    title: "AF_VSOCK has no other types of socket",
    requirement: "socket() of a type that AF_VSOCK lacks MUST fail with ESOCKTNOSUPPORT",
    refs: [man("vsock", 7, "DESCRIPTION"), kernel("vsock_create")],
    does: {
      client:
        "checks that socket() fails with ESOCKTNOSUPPORT for type 0, SOCK_RAW, SOCK_RDM, 6 and 10, and " +
        "EINVAL for type 11, which is behind the last one",
    },
    async client({ vsock, check }) {
      const create = (type: number) => () => vsock.create(type | SOCK_CLOEXEC, 0);
      for (const type of WRONG_TYPES) {
        await check.fails("ESOCKTNOSUPPORT", `socket() of type ${type}`, create(type));
      }
      await check.fails("EINVAL", "socket() of type 11", create(11));
    },
  }),
  defineCase({
    id: "sockets/create/no-datagrams",
    title: "there are no datagrams without a transport that has them",
    requirement:
      "socket(SOCK_DGRAM) MUST fail with ENODEV where no transport has datagrams, before and " +
      "after other sockets were used",
    refs: [man("vsock", 7, "DESCRIPTION"), kernel("vsock_assign_transport")],
    needs: [{ client: "known-place" }],
    does: {
      client:
        "checks that socket(SOCK_DGRAM) fails with ENODEV, connects a stream socket and a seqpacket socket " +
        "to a port that nobody has, and checks ENODEV again after each",
    },
    async client({ vsock, check }) {
      const create = () => vsock.create(SOCK_DGRAM | SOCK_CLOEXEC, 0);
      await check.fails("ENODEV", "socket(SOCK_DGRAM)", create);
      for (const type of ["stream", "seqpacket"] as const) {
        using socket = vsock.open(type);
        socket.setNonblocking();
        errorOf(() => socket.connectHere(vsock.peerAddress()));
        await check.fails("ENODEV", `socket(SOCK_DGRAM) after a ${type} socket`, create);
      }
    },
  }),
];
