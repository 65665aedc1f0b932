/**
 * sock_diag(7): what is asked for, and how much there is to tell.
 *
 * @module
 */
import {
  ALL_STATES,
  type CaseContext,
  type ConformanceCase,
  defineCase,
  type DiagSocket,
  forBothTypes,
  kernel,
  man,
  NLM_F_REQUEST,
  SHUT_RD,
  SHUT_WR,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  type Socket,
  type SocketType,
  TCP_ESTABLISHED,
  VMADDR_PORT_ANY,
} from "../../kit/mod.ts";

const refs = [man("sock_diag", 7, "DESCRIPTION"), kernel("vsock_diag_dump")];
/** More than fit into one answer of the kernel (32 KiB). */
const MANY = 600;
const WHOLE = 24;
/** How much of a request is left out, at least; the family and the protocol are there. */
const SHORT = [2, 4, WHOLE - 1];

/** A socket in a list; undefined where it is not. */
function own(listed: readonly DiagSocket[], socket: Socket): DiagSocket | undefined {
  const inode = socket.inode();
  return listed.find((each) => each.inode === inode);
}

/** Check what a dump shows of a connection, and that one of other states leaves it out. */
async function looks(
  { vsock, check }: Pick<CaseContext, "vsock" | "check">,
  socket: Socket,
  type: SocketType,
  shutdown: number,
): Promise<void> {
  const shown = own(await check.succeeds("a dump", () => vsock.dump()), socket);
  check.equal(shown?.type, type === "stream" ? SOCK_STREAM : SOCK_SEQPACKET, "vdiag_type");
  check.equal(shown?.shutdown, shutdown, "vdiag_shutdown");
  const bit = 1 << (shown?.state ?? TCP_ESTABLISHED);
  for (const [states, listed] of [[bit, true], [(ALL_STATES & ~bit) >>> 0, false]] as const) {
    const chosen = await check.succeeds("a dump of some states", () => vsock.dump(states));
    const there = own(chosen, socket) !== undefined;
    check.equal(there, listed, `listed by a dump of the states 0x${states.toString(16)}`);
  }
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineCase({
    id: "diag/dump/six-hundred-once-each",
    title: "sock_diag lists six hundred sockets once each",
    requirement: "a dump MUST list each socket once, however many buffers it takes",
    refs,
    needs: [{ client: "vsock-diag" }],
    does: {
      client: "binds 600 sockets, and checks that a dump lists each of them once",
    },
    async client({ vsock, check }) {
      using sockets = new DisposableStack();
      const inodes: number[] = [];
      for (let i = 0; i < MANY; i++) {
        const socket = sockets.use(vsock.open("stream"));
        socket.bind(vsock.localAddress(VMADDR_PORT_ANY));
        inodes.push(socket.inode());
      }
      const listed = await check.succeeds("a dump of all sockets", () => vsock.dump());
      const times = Map.groupBy(listed, ({ inode }) => inode);
      const often = inodes.map((inode) => times.get(inode)?.length ?? 0);
      check.equal(often.filter((count) => count === 0).length, 0, "how many are not listed");
      check.equal(often.filter((count) => count > 1).length, 0, "how many are listed twice");
    },
  }),
  ...forBothTypes((type) =>
    defineCase({
      id: `diag/dump/${type}-connection-in-part`,
      title: "sock_diag shows a connection's type, and which directions are shut",
      requirement:
        "a dump MUST show the type of a socket and the directions that it has shut, and list it " +
        "only where its state was asked for, accepted or not",
      refs: [man("sock_diag", 7, "DESCRIPTION"), kernel("sk_diag_fill")],
      needs: type === "stream" ? ["vsock-diag"] : ["vsock-diag", "seqpacket"],
      does: {
        client:
          `connects a ${type} socket, and checks its type and vdiag_shutdown 0, then 1 after ` +
          "SHUT_RD, and that a dump of other states leaves it out",
        server: "accepts, and checks the same of its own socket, with 2 after SHUT_WR",
      },
      async client({ vsock, peer, check }) {
        using socket = await vsock.connect(type);
        await looks({ vsock, check }, socket, type, 0);
        await peer.writeln("LOOK");
        await peer.expectln("LOOKED");
        socket.shutdown(SHUT_RD);
        await looks({ vsock, check }, socket, type, 1);
        await peer.writeln("LOOK");
        await peer.expectln("LOOKED");
      },
      async server({ vsock, peer, check }) {
        using socket = await vsock.accept(type);
        await peer.expectln("LOOK");
        await looks({ vsock, check }, socket, type, 0);
        await peer.writeln("LOOKED");
        await peer.expectln("LOOK");
        socket.shutdown(SHUT_WR);
        await looks({ vsock, check }, socket, type, 2);
        await peer.writeln("LOOKED");
      },
    })
  ),
  defineCase({
    id: "diag/request/malformed-is-refused",
    title: "sock_diag refuses requests that are too short, or ask for no dump",
    requirement:
      "a request MUST be EINVAL where it is shorter than vsock_diag_req, EOPNOTSUPP without NLM_F_DUMP",
    refs: [man("sock_diag", 7, "DESCRIPTION"), kernel("vsock_diag_handler_dump")],
    needs: [{ client: "vsock-diag" }],
    does: {
      client: "checks that requests of 2, 4 and 23 bytes are EINVAL, a whole one without " +
        "NLM_F_DUMP EOPNOTSUPP, and that a whole one with it is answered",
    },
    async client({ vsock, check }) {
      for (const size of SHORT) {
        const ask = () => vsock.dump(ALL_STATES, { size });
        await check.fails("EINVAL", `a request of ${size} bytes`, ask);
      }
      const single = () => vsock.dump(ALL_STATES, { flags: NLM_F_REQUEST });
      await check.fails("EOPNOTSUPP", "a request for no dump", single);
      await check.succeeds("a dump of all sockets", () => vsock.dump());
    },
  }),
];
