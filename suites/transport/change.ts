/**
 * Sockets whose connect() moves them from one transport to another.
 *
 * @module
 */
import {
  type Address,
  type CaseContext,
  defineCase,
  Interruptions,
  kernel,
  LOCAL_CIDS,
  SO_LINGER,
  type Socket,
  SOL_SOCKET,
  SysError,
  upstream,
  VMADDR_CID_HYPERVISOR,
  VMADDR_PORT_ANY,
} from "../kit.ts";

/** MAX_PORT_RETRIES: how many ports the kernel tries when it binds a socket by itself. */
const PORTS_TRIED = 24;

/**
 * Takes the ports that the kernel would bind a socket to, so that connect() assigns a transport
 * and then fails; then connects elsewhere, so that the transport of an unbound socket is released.
 *
 * @returns whether this CID has a transport to do it with.
 */
async function releaseUnbound(cid: number, { vsock, check }: CaseContext): Promise<boolean> {
  const taken: Socket[] = [];
  using first = vsock.open("stream");
  try {
    if (code(() => first.bind({ cid, port: VMADDR_PORT_ANY })) === "EADDRNOTAVAIL") return false;
    const { port } = first.getsockname();
    for (let i = 1; i <= PORTS_TRIED; i++) {
      taken.push(vsock.bound("stream", { cid, port: port + i }));
    }
    first[Symbol.dispose]();
    using socket = vsock.open("stream");
    socket.setNonblocking();
    const address = { cid, port: port + PORTS_TRIED };
    const refused = await check.fails(
      ["EADDRNOTAVAIL", "ENODEV"],
      `connect() to CID ${cid} without a free port`,
      () => socket.connectHere(address),
    );
    if (refused?.code === "ENODEV") return false;
    for (const other of LOCAL_CIDS.filter((candidate) => candidate !== cid)) {
      code(() => socket.connectHere({ ...address, cid: other }));
    }
    return true;
  } finally {
    for (const socket of taken) socket[Symbol.dispose]();
  }
}

/** The name of the error with which a call fails. */
function code(call: () => void): string | undefined {
  try {
    call();
  } catch (error) {
    if (error instanceof SysError) return error.code;
    throw error;
  }
  return undefined;
}

/** A reference too few was kept for such a socket: the kernel's log tells. */
export const releaseOfUnboundSocket = defineCase({
  id: "transport/change/release-of-unbound-socket",
  title: "a socket that could not be bound can be moved to another transport",
  requirement: "connect() that finds no free port MUST fail with EADDRNOTAVAIL and harm nothing",
  refs: [
    upstream(
      "SOCK_STREAM transport release use-after-free",
      "is skipped, naming the registered transports, where no transport can be tested; takes " +
        "ENODEV for any CID as that CID having no transport, not for the host's alone",
    ),
    kernel("__vsock_bind_connectible"),
    kernel("vsock_assign_transport"),
  ],
  needs: [{ client: "local-transport" }],
  async client(context) {
    let tested = 0;
    for (const cid of LOCAL_CIDS) if (await releaseUnbound(cid, context)) tested++;
    context.check.that(tested > 0, "no CID had a transport to test");
  },
});

/** What the client tells the server: that there may be connections, or that it is done. */
const CONTINUE = 1n;
const DONE = 0n;
/** How long sockets are moved about, in milliseconds. */
const RACE_TIME = 2000;
/** Time between two signals, in microseconds: some connect() end before one, most do not. */
const PACE = 100;

/**
 * connect() with a signal in it, then connect() to CID 0: another transport, or none at all.
 *
 * @returns whether the server may have a connection to accept.
 */
function connectTwice(socket: Socket, address: Address, { check }: CaseContext): boolean {
  const first = code(() => socket.connectHere(address));
  const known = [undefined, "EINTR", "ECONNRESET"].includes(first);
  check.that(known, `connect() with signals: expected EINTR or ECONNRESET, got ${first}`);
  const elsewhere = { ...address, cid: VMADDR_CID_HYPERVISOR };
  const second = code(() => socket.connectHere(elsewhere));
  return [first, second].some((result) => result === undefined || result === "ECONNRESET");
}

/** An interrupted connect() leaves a socket that the next one moves: the kernel's log tells. */
export const interruptedConnect = defineCase({
  id: "transport/change/after-interrupted-connect",
  title: "a socket can be moved to another transport after an interrupted connect()",
  requirement: "connect() that a signal interrupts MUST fail with EINTR, and another harm nothing",
  refs: [
    upstream(
      "SOCK_STREAM transport change null-ptr-deref, lockdep warn",
      "the signals come from a timer, 10000 a second, on the thread that connects, not from a thread " +
        "that calls kill() without end; says nothing of a guest's transport, with which the bug " +
        "cannot show",
    ),
    kernel("vsock_connect"),
    kernel("vsock_assign_transport"),
  ],
  async client(context) {
    const { vsock, peer, check } = context;
    await peer.expectln("LISTENING");
    using interruptions = new Interruptions(PACE);
    const end = performance.now() + RACE_TIME;
    do {
      using socket = vsock.open("stream");
      const setLinger = () => socket.setLinger(SOL_SOCKET, SO_LINGER, 1);
      await check.succeeds("setsockopt(SO_LINGER)", setLinger);
      const mayBeConnected = connectTwice(socket, vsock.peerAddress(), context);
      socket[Symbol.dispose]();
      if (mayBeConnected) await peer.writeUlong(CONTINUE);
    } while (performance.now() < end);
    check.that(interruptions.count > 0, "no signal was delivered");
    await peer.writeUlong(DONE);
  },
  async server({ vsock, peer, check }) {
    using listener = vsock.listening("stream");
    listener.setNonblocking();
    await peer.writeln("LISTENING");
    const acceptAll = async () => {
      for (;;) (await listener.accept()).socket[Symbol.dispose]();
    };
    while (await peer.readUlong() === CONTINUE) {
      await check.fails("EAGAIN", "accept() after the last connection", acceptAll);
    }
  },
});
