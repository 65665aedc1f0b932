/**
 * bind(2): to which CIDs and ports.
 *
 * @module
 */
import {
  CAP_NET_BIND_SERVICE,
  type CaseContext,
  type ConformanceCase,
  defineCase,
  errorOf,
  forBothTypes,
  FOREIGN_CID,
  hasCapability,
  kernel,
  LAST_RESERVED_PORT,
  LOCAL_CIDS,
  localCidsOf,
  man,
  type SocketType,
  VMADDR_CID_ANY,
  VMADDR_PORT_ANY,
  WithoutCapability,
} from "../../kit/mod.ts";

/** Reserved ports, the first and the last, and the first that is not reserved. */
/** How many sockets get a port each; more than a kernel tries ports for one. */
const MANY = 100;
const RESERVED = [0, 1, LAST_RESERVED_PORT - 1, LAST_RESERVED_PORT];

function bindReserved(type: SocketType, { vsock, check }: CaseContext): void {
  const bindTo = (port: number) => () => {
    using socket = vsock.open(type);
    socket.bind(vsock.localAddress(port));
  };
  for (const port of RESERVED) {
    {
      using _without = new WithoutCapability(CAP_NET_BIND_SERVICE);
      const code = errorOf(bindTo(port));
      check.equal(code, "EACCES", `bind() to port ${port} without CAP_NET_BIND_SERVICE`);
    }
    const code = hasCapability(CAP_NET_BIND_SERVICE) ? errorOf(bindTo(port)) : undefined;
    // Another program may have the port: then it was not refused for lack of privilege, either.
    check.that(code === undefined || code === "EADDRINUSE", `bind() to port ${port}: ${code}`);
  }
  using _without = new WithoutCapability(CAP_NET_BIND_SERVICE);
  const what = `bind() to port ${LAST_RESERVED_PORT + 1} without CAP_NET_BIND_SERVICE`;
  const code = errorOf(bindTo(LAST_RESERVED_PORT + 1));
  check.that(code === undefined || code === "EADDRINUSE", `${what}: ${code}`);
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Each CID of this machine. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/bind/${type}-each-local-cid`,
      title: `a ${type} socket can be bound to each CID of its machine, and to any`,
      requirement:
        "bind() to each local CID and to VMADDR_CID_ANY MUST succeed, and getsockname() MUST " +
        "return it",
      refs: [man("vsock", 7, "VMADDR_CID_ANY"), kernel("vsock_find_cid")],
      needs: [{ client: "known-place" }],
      does: {
        client:
          `binds a ${type} socket to VMADDR_CID_ANY, then one to each CID of its machine, and ` +
          "checks that getsockname() returns the address that was bound",
      },
      async client({ vsock, check }) {
        const { port } = vsock.localAddress();
        for (const cid of [VMADDR_CID_ANY, ...localCidsOf(vsock.machine.place())]) {
          using socket = vsock.open(type);
          const address = { cid, port, flags: 0 };
          await check.succeeds(`bind() to CID ${cid}`, () => socket.bind(address));
          check.equal(socket.getsockname(), address, `getsockname() after bind() to CID ${cid}`);
        }
      },
    })
  ),
  /** CIDs of other machines. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/bind/${type}-foreign-cid`,
      title: `a ${type} socket cannot be bound to a CID that its machine does not have`,
      requirement: "bind() to a CID that is not local MUST fail with EADDRNOTAVAIL",
      refs: [man("vsock", 7, "EADDRNOTAVAIL"), kernel("__vsock_bind")],
      needs: [{ client: "known-place" }],
      does: {
        client:
          `checks that bind() of a ${type} socket fails with EADDRNOTAVAIL for each of the CIDs ` +
          "0 to 3, the peer's, and 0xdead, except those of its own machine",
      },
      async client({ vsock, check }) {
        const local = localCidsOf(vsock.machine.place());
        const { cid: peerCid, port } = vsock.peerAddress();
        const foreign = new Set([...LOCAL_CIDS, peerCid, FOREIGN_CID])
          .difference(new Set(local));
        for (const cid of foreign) {
          using socket = vsock.open(type);
          const bind = () => socket.bind({ cid, port });
          await check.fails("EADDRNOTAVAIL", `bind() to CID ${cid}`, bind);
        }
      },
    })
  ),
  /** A socket has one address. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/bind/${type}-twice`,
      title: `a bound ${type} socket keeps its address`,
      requirement: "bind() of a bound socket MUST fail with EINVAL and leave its address unchanged",
      refs: [man("bind", 2, "EINVAL"), kernel("__vsock_bind")],
      does: {
        client:
          `binds a ${type} socket, and checks that bind() to the next port fails with EINVAL and ` +
          "that getsockname() still returns the first address",
      },
      async client({ vsock, check }) {
        using socket = vsock.bound(type);
        const before = socket.getsockname();
        const again = () => socket.bind(vsock.localAddress(before.port + 1));
        await check.fails("EINVAL", "bind() of a bound socket", again);
        check.equal(socket.getsockname(), before, "getsockname() after the second bind()");
      },
    })
  ),
  /** svm_flags has one flag. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/bind/${type}-unknown-flag`,
      title: `a ${type} socket refuses an address with a flag that does not exist`,
      requirement: "bind() and connect() with an unknown bit in svm_flags MUST fail with EINVAL",
      refs: [man("vsock", 7, "svm_flags"), kernel("vsock_addr_cast")],
      does: {
        client:
          `checks that bind() and connect() of a ${type} socket fail with EINVAL if svm_flags is ` +
          "0x80",
      },
      async client({ vsock, check }) {
        using socket = vsock.open(type);
        const flags = 0x80;
        const bind = () => socket.bind({ ...vsock.localAddress(), flags });
        await check.fails("EINVAL", "bind() with svm_flags 0x80", bind);
        const connect = () => socket.connect({ ...vsock.peerAddress(), flags });
        await check.fails("EINVAL", "connect() with svm_flags 0x80", connect);
      },
    })
  ),
  /** The kernel chooses a port. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/bind/${type}-any-port`,
      title: `VMADDR_PORT_ANY gives a ${type} socket a free port`,
      requirement:
        "bind() to VMADDR_PORT_ANY MUST choose a free port above 1023, a different one for each " +
        "socket",
      refs: [man("vsock", 7, "VMADDR_PORT_ANY"), kernel("__vsock_bind")],
      does: {
        client:
          `binds a ${type} socket to VMADDR_PORT_ANY, a second one to the port after the one ` +
          "chosen, and a third to VMADDR_PORT_ANY, and checks that the first port is above 1023 " +
          "and that the last one is new",
      },
      client({ vsock, check }) {
        const anywhere = vsock.localAddress(VMADDR_PORT_ANY);
        using first = vsock.bound(type, anywhere);
        const { cid, port } = first.getsockname();
        check.equal(cid, VMADDR_CID_ANY, "the CID after bind() to VMADDR_PORT_ANY");
        check.that(port > LAST_RESERVED_PORT, `the port chosen is ${port}, which is reserved`);
        check.that(port !== VMADDR_PORT_ANY, "no port was chosen");
        // The next port is taken: a kernel that counts up has to skip it.
        using next = vsock.open(type);
        const isTaken = errorOf(() => next.bind(vsock.localAddress(port + 1))) === "EADDRINUSE";
        using second = vsock.bound(type, anywhere);
        const chosen = second.getsockname().port;
        check.that(chosen !== port, `port ${chosen} was given to two sockets`);
        check.that(
          chosen !== port + 1 || isTaken,
          `port ${chosen} was given to a socket while another was bound to it`,
        );
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/bind/${type}-hundred-any-ports`,
      title: `VMADDR_PORT_ANY gives a hundred ${type} sockets a port each`,
      requirement:
        "bind() to VMADDR_PORT_ANY MUST give each socket another port while ports are free",
      refs: [man("vsock", 7, "VMADDR_PORT_ANY"), kernel("__vsock_bind")],
      does: {
        client:
          `binds 100 ${type} sockets to VMADDR_PORT_ANY, and checks that each has a port that ` +
          "no other has",
      },
      async client({ vsock, check }) {
        using sockets = new DisposableStack();
        const ports = new Set<number>();
        for (let i = 0; i < MANY; i++) {
          const socket = sockets.use(vsock.open(type));
          const bind = () => socket.bind(vsock.localAddress(VMADDR_PORT_ANY));
          await check.succeeds(`bind() of socket ${i}`, bind);
          ports.add(socket.getsockname().port);
        }
        check.equal(ports.size, MANY, "how many ports there are");
      },
    })
  ),
  /** Ports below 1024, including port 0, are privileged. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/bind/${type}-reserved-port`,
      title: `ports below 1024 need CAP_NET_BIND_SERVICE for a ${type} socket`,
      requirement:
        "bind() to a port below 1024 MUST fail with EACCES without CAP_NET_BIND_SERVICE, and only then",
      refs: [man("vsock", 7, "EACCES"), kernel("__vsock_bind")],
      does: {
        client:
          `checks that bind() of a ${type} socket to ports 0, 1, 1022 and 1023 fails with EACCES ` +
          "without CAP_NET_BIND_SERVICE, and that with it, and for port 1024 without it, only " +
          "EADDRINUSE can occur",
      },
      client: (context) => bindReserved(type, context),
    })
  ),
];
