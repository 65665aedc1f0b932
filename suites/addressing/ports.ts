/**
 * Which sockets may use the same port.
 *
 * @module
 */
import {
  type CaseContext,
  type ConformanceCase,
  connecting,
  defineCase,
  errorOf,
  forBothTypes,
  kernel,
  localCidsOf,
  man,
  SO_REUSEADDR,
  type SocketType,
  SOL_SOCKET,
  VMADDR_CID_ANY,
} from "../../kit/mod.ts";

/** Binds a socket to each of two CIDs, on one port, and returns the second one's error. */
function bindBoth(types: readonly [SocketType, SocketType], cids: readonly [number, number], {
  vsock,
}: Pick<CaseContext, "vsock">): string | undefined {
  const { port } = vsock.localAddress();
  using first = vsock.open(types[0]);
  using second = vsock.open(types[1]);
  first.bind({ cid: cids[0], port });
  // AF_INET would let the second socket have the address; AF_VSOCK has no such option.
  second.setInt(SOL_SOCKET, SO_REUSEADDR, 1);
  return errorOf(() => second.bind({ cid: cids[1], port }));
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Every pair of CIDs in either order, with sockets of the same and of different types. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/ports/${type}-one-socket-per-address`,
      title:
        `a ${type} socket occupies its port only on its CID, and on every CID with VMADDR_CID_ANY`,
      requirement:
        "bind() MUST fail with EADDRINUSE if a socket of either type has the port on the same " +
        "CID or if one of the two is VMADDR_CID_ANY, in either order, and only then",
      refs: [man("vsock", 7, "EADDRINUSE"), kernel("__vsock_find_bound_socket_net")],
      needs: [{ client: "known-place" }],
      does: {
        client:
          `binds a ${type} socket and one of either type to the same port, for each pair of ` +
          "VMADDR_CID_ANY and its machine's CIDs, and checks for EADDRINUSE if they are the same " +
          "or one is VMADDR_CID_ANY",
      },
      client(context) {
        const { vsock, check } = context;
        const cids = [VMADDR_CID_ANY, ...localCidsOf(vsock.machine.place())];
        for (const first of cids) {
          for (const second of cids) {
            const shares = first === second || [first, second].includes(VMADDR_CID_ANY);
            const expected = shares ? "EADDRINUSE" : undefined;
            for (const other of ["stream", "seqpacket"] as const) {
              const code = bindBoth([type, other], [first, second], context);
              const what = `bind() of a ${other} socket to ${second} beside ${first}`;
              check.equal(code, expected, what);
            }
          }
        }
      },
    })
  ),
  /** Only a bound socket occupies a port. */
  ...forBothTypes((type) =>
    defineCase({
      id: `addressing/ports/${type}-free-after-close`,
      title: `a ${type} listener's port is free once it is closed, whatever it has accepted`,
      requirement:
        "bind() to the port of a closed listener MUST succeed while its connections are open",
      refs: [man("bind", 2, "EADDRINUSE"), kernel("vsock_remove_sock")],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket, and sends a byte once the server has bound its port again`,
        server:
          `accepts a ${type} connection, closes the listener, checks that another socket can be ` +
          "bound to its port, and receives a byte",
      },
      async client({ vsock, peer, check }) {
        using socket = await vsock.connect(type);
        await peer.expectln("BOUND");
        await check.sendsByte(socket);
      },
      async server({ vsock, peer, check }) {
        using socket = await vsock.accept(type);
        using another = vsock.open(type);
        const bind = () => another.bind(vsock.localAddress());
        await check.succeeds("bind() to the port of the closed listener", bind);
        await peer.writeln("BOUND");
        await check.receivesByte(socket);
      },
    })
  ),
];
