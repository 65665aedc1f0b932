/**
 * What sock_diag(7) lists: no closed sockets, and every open one with its state.
 *
 * @module
 */
import {
  ALL_STATES,
  type CaseContext,
  type ConformanceCase,
  defineCase,
  describeSocket,
  type DiagSocket,
  kernel,
  man,
  newSockets,
  SOCK_STREAM,
  type Socket,
  TCP_ESTABLISHED,
  TCP_LISTEN,
  timedSleep,
  upstream,
  VMADDR_CID_ANY,
  VMADDR_CID_LOCAL,
} from "../../kit/mod.ts";

/** How long a closed socket may wait for its peer, in milliseconds: over VSOCK_CLOSE_TIMEOUT. */
const CLOSE_TIME = 9000;
const PAUSE = 100;
/** sk_shutdown of a socket that has not been shut down. */
const OPEN = 0;

const refs = [man("sock_diag", 7, "DESCRIPTION"), kernel("vsock_diag_dump")];

const LISTS =
  "checks that sock_diag lists its socket once, with both addresses and TCP_ESTABLISHED, and no " +
  "other new socket except, on loopback, the other end";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** No socket is open any more. */
  defineCase({
    id: "diag/dump/lists-no-socket",
    title: "sock_diag lists no sockets when none are open",
    requirement: "a dump MUST NOT list a closed socket once the close has had time to finish",
    alone: "it looks at all AF_VSOCK sockets of the machine",
    refs: [upstream("No sockets"), ...refs],
    needs: [{ server: "vsock-diag" }, { server: "no-other-sockets" }],
    does: {
      client: "does nothing",
      server:
        "asks sock_diag for all sockets, listens and closes, and checks that sock_diag then " +
        "lists only those that earlier cases left; asks again for up to 9 s while closed ones " +
        "are among them",
    },
    client: () => Promise.resolve(),
    async server({ vsock, check }) {
      const before = await vsock.dump();
      // Upstream's sides exchange no lines here, so this side is alone with its socket.
      vsock.listening("stream")[Symbol.dispose]();
      const started = performance.now();
      const dump = () => check.succeeds("a dump of all sockets", () => vsock.dump());
      let sockets: DiagSocket[];
      // A closed socket may still be saying goodbye to its peer. The last dump is made when that time is
      // over, however long this machine stood still since the one before.
      for (let isOver = false;;) {
        sockets = newSockets(before, await dump());
        if (isOver || !sockets.some(isClosed)) break;
        await timedSleep(PAUSE);
        isOver = performance.now() - started >= CLOSE_TIME;
      }
      const listed = sockets.map((socket) =>
        `${isClosed(socket) ? "closed: " : ""}${describeSocket(socket)}`
      );
      check.equal(listed, [], "the sockets that are listed");
    },
  }),
  /** A listening socket, and no other. */
  defineCase({
    id: "diag/dump/lists-listener",
    title: "sock_diag lists a listening socket once, in the listening state",
    requirement: "a dump MUST list a listening socket once, with its address, inode and TCP_LISTEN",
    alone: "it looks at all AF_VSOCK sockets of the machine",
    refs: [upstream("Listen socket"), ...refs],
    needs: [{ server: "vsock-diag" }],
    does: {
      client: "does nothing",
      server: "listens, and checks that sock_diag lists its socket once, with its address and " +
        "TCP_LISTEN, and no other new one, and that a dump of that state includes it and one of " +
        "all other states does not",
    },
    client: () => Promise.resolve(),
    async server({ vsock, check }) {
      const before = await vsock.dump();
      using socket = vsock.listening("stream");
      const after = newSockets(before, await dumped({ vsock, check }));
      const own = findOwn(check, after, socket);
      checkOwn(check, own, socket, TCP_LISTEN);
      check.equal(own.remote, anywhere, "the remote address of the listening socket");
      checkOthers(check, after, own, 0);
      const bit = 1 << TCP_LISTEN;
      for (const [states, listed] of [[bit, true], [(ALL_STATES & ~bit) >>> 0, false]] as const) {
        const chosen = await dumped({ vsock, check }, states);
        const there = chosen.some(({ cookie }) => cookie === own.cookie);
        check.equal(there, listed, `listed by a dump of the states 0x${states.toString(16)}`);
      }
    },
  }),
  /** A connection, seen from both ends. */
  defineCase({
    id: "diag/dump/lists-connection",
    title: "sock_diag lists both ends of a connection once each, in the connected state",
    requirement:
      "a dump MUST list a connected socket once, with both addresses and TCP_ESTABLISHED",
    alone: "it looks at all AF_VSOCK sockets of the machine",
    refs: [upstream("Connect"), ...refs],
    needs: ["vsock-diag"],
    does: {
      client: `connects, and ${LISTS}`,
      server: `accepts, and ${LISTS}`,
    },
    async client({ vsock, peer, check }) {
      const before = await vsock.dump();
      using socket = await vsock.connect("stream");
      // By now the server has closed its listener, which would be listed here, too, on loopback.
      await peer.expectln("DONE");
      await checkConnection({ vsock, check }, before, socket);
      await peer.writeln("DONE");
    },
    async server({ vsock, peer, check }) {
      const before = await vsock.dump();
      using socket = await vsock.accept("stream");
      await checkConnection({ vsock, check }, before, socket);
      await peer.writeln("DONE");
      await peer.expectln("DONE");
    },
  }),
];

type Judge = Pick<CaseContext, "vsock" | "check">;

const anywhere = { cid: VMADDR_CID_ANY, port: VMADDR_CID_ANY };

function isClosed({ inode }: DiagSocket): boolean {
  return inode === 0;
}

function dumped({ vsock, check }: Judge, states?: number): Promise<DiagSocket[]> {
  return check.succeeds("a dump of sockets", () => vsock.dump(states));
}

async function checkConnection(
  { vsock, check }: Judge,
  before: readonly DiagSocket[],
  socket: Socket,
): Promise<void> {
  const after = newSockets(before, await dumped({ vsock, check }));
  const own = findOwn(check, after, socket);
  checkOwn(check, own, socket, TCP_ESTABLISHED);
  check.equal(own.remote, bare(socket.getpeername()), "the remote address");
  // On loopback the other end belongs to this kernel, too.
  const { cid } = vsock.peerAddress();
  const peers = cid === VMADDR_CID_LOCAL ? 1 : 0;
  checkOthers(check, after, own, peers);
}

/** @throws {ClaimError} if the socket is not listed. */
function findOwn(
  check: CaseContext["check"],
  sockets: readonly DiagSocket[],
  socket: Socket,
): DiagSocket {
  const inode = socket.inode();
  const own = sockets.filter((listed) => listed.inode === inode);
  check.equal(own.length, 1, `how often the socket with inode ${inode} is listed`);
  const [first] = own;
  if (first !== undefined) return first;
  throw check.stop(`not listed: inode ${inode}; new: ${sockets.map(describeSocket)}`);
}

function checkOwn(
  check: CaseContext["check"],
  own: DiagSocket,
  socket: Socket,
  state: number,
): void {
  check.equal(own.type, SOCK_STREAM, "vdiag_type");
  check.equal(own.state, state, "vdiag_state");
  check.equal(own.shutdown, OPEN, "vdiag_shutdown");
  check.equal(own.local, bare(socket.getsockname()), "the local address");
}

/** Check how many other new sockets there are, and that they are the other end of it. */
function checkOthers(
  check: CaseContext["check"],
  sockets: readonly DiagSocket[],
  own: DiagSocket,
  expected: number,
): void {
  const others = sockets.filter((socket) => socket !== own);
  check.equal(others.length, expected, "the number of other new sockets");
  for (const other of others) {
    const matches = other.local.port === own.remote.port && other.remote.port === own.local.port;
    check.that(matches, `this is not the other end: ${describeSocket(other)}`);
  }
}

function bare({ cid, port }: { readonly cid: number; readonly port: number }) {
  return { cid, port };
}
