/**
 * Sockets whose connect() moves them from one transport to another.
 *
 * @module
 */
import {
  Alarm,
  type CaseContext,
  connectInBackground,
  defineCase,
  errorOf,
  kernel,
  LOCAL_CIDS,
  type Random,
  SO_LINGER,
  type Socket,
  SOL_SOCKET,
  upstream,
  Urgency,
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
    if (errorOf(() => first.bind({ cid, port: VMADDR_PORT_ANY })) === "EADDRNOTAVAIL") return false;
    const { port } = first.getsockname();
    for (let i = 1; i <= PORTS_TRIED; i++) {
      taken.push(vsock.bound("stream", { cid, port: port + i }));
    }
    first[Symbol.dispose]();
    using socket = vsock.open("stream");
    connectInBackground(socket);
    const address = { cid, port: port + PORTS_TRIED };
    const refused = await check.fails(
      ["EADDRNOTAVAIL", "ENODEV"],
      `connect() to CID ${cid} without a free port`,
      () => socket.connectHere(address),
    );
    if (refused?.code === "ENODEV") return false;
    for (const other of LOCAL_CIDS.filter((candidate) => candidate !== cid)) {
      errorOf(() => socket.connectHere({ ...address, cid: other }));
    }
    return true;
  } finally {
    for (const socket of taken) socket[Symbol.dispose]();
  }
}

/** A reference too few was kept for such a socket: the kernel's log tells. */
export const releaseOfUnboundSocket = defineCase({
  id: "transport/change/release-of-unbound-socket",
  title: "a socket that could not be bound can be moved to another transport",
  requirement: "connect() that finds no free port MUST fail with EADDRNOTAVAIL and harm nothing",
  alone: "it takes the ports that the kernel would choose next",
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
  does: {
    client:
      "takes the 24 ports that the kernel would try next at each CID of 0 to 3 that is its own and " +
      "has a transport, claims that connect() there is EADDRNOTAVAIL, and calls connect() on that " +
      "socket for the other three",
  },
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
/** How long they are at the most, where no signal has come in the midst of a call by then. */
const MAX_RACE_TIME = 7000;
/** How long after setting it the signal comes at first, in microseconds. */
const FIRST_DELAY = 100;
/** How much sooner or later the next signal comes where this one missed the call. */
const STEP = 1.25;

/**
 * Interrupts calls of this thread, and learns from those it missed when to do it. The signal counts
 * only if the thread gets to see it before the answer to its call does: it runs before the
 * kernel's worker of the loopback transport, where that is allowed.
 */
class Interrupter implements Disposable {
  readonly #urgency = new Urgency();
  readonly #alarm = new Alarm();
  readonly #random: Random;
  #delay = FIRST_DELAY;
  #hits = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** How many calls were interrupted. */
  get hits(): number {
    return this.#hits;
  }

  /** Makes a call and gives the name of its error, EINTR if the signal came in the midst of it. */
  interrupt(call: () => void): string | undefined {
    const before = this.#alarm.count;
    this.#alarm.set(this.#delay * (0.75 + this.#random.below(512) / 1024));
    const result = errorOf(call);
    const early = this.#alarm.count > before;
    if (result === "EINTR") this.#hits++;
    else this.#delay = Math.min(Math.max(this.#delay * (early ? STEP : 1 / STEP), 1), 100_000);
    return result;
  }

  [Symbol.dispose](): void {
    this.#alarm[Symbol.dispose]();
    this.#urgency[Symbol.dispose]();
  }
}

/** An interrupted connect() leaves a socket that the next one moves: the kernel's log tells. */
export const interruptedConnect = defineCase({
  id: "transport/change/after-interrupted-connect",
  title: "a socket can be moved to another transport after an interrupted connect()",
  requirement: "connect() that a signal interrupts MUST fail with EINTR, and another harm nothing",
  alone: "it sends its thread signals in the midst of calls, and floods the transport",
  refs: [
    upstream(
      "SOCK_STREAM transport change null-ptr-deref, lockdep warn",
      "one signal for every connect(), from a timer that is aimed at the midst of the call, and not " +
        "a thread that calls kill() without end; says nothing of a guest's transport, with which " +
        "the bug cannot show",
    ),
    kernel("vsock_connect"),
    kernel("vsock_assign_transport"),
  ],
  does: {
    client:
      "opens sockets with SO_LINGER of 1 s for 2 to 7 s, interrupts connect() on each with a " +
      "timer's signal, claims success, EINTR or ECONNRESET, moves it with connect() to CID 0, " +
      "and closes it",
    server:
      "listens, accepts and closes what has come each time that the client tells it to, and claims " +
      "that accept() then is EAGAIN",
  },
  async client({ vsock, peer, check, random }) {
    await peer.expectln("LISTENING");
    using interrupter = new Interrupter(random);
    const address = vsock.peerAddress();
    const elsewhere = { ...address, cid: VMADDR_CID_HYPERVISOR };
    const started = performance.now();
    const goesOn = () => {
      const time = performance.now() - started;
      return time < RACE_TIME || (interrupter.hits === 0 && time < MAX_RACE_TIME);
    };
    do {
      await peer.letOthersRun();
      using socket = vsock.open("stream");
      const setLinger = () => socket.setLinger(SOL_SOCKET, SO_LINGER, 1);
      await check.succeeds("setsockopt(SO_LINGER)", setLinger);
      const first = interrupter.interrupt(() => socket.connectHere(address));
      const known = [undefined, "EINTR", "ECONNRESET"].includes(first);
      check.that(known, `connect() with a signal: expected EINTR or ECONNRESET, got ${first}`);
      // A host does not answer what a guest sends to this CID: there is nothing to wait for.
      connectInBackground(socket);
      const second = errorOf(() => socket.connectHere(elsewhere));
      socket[Symbol.dispose]();
      // A listener with a full queue resets; then, too, the server has something to accept.
      const queued = [first, second].some((code) => code === undefined || code === "ECONNRESET");
      if (queued) await peer.writeUlong(CONTINUE);
    } while (goesOn());
    await peer.writeUlong(DONE);
    if (interrupter.hits === 0) throw new Error("no signal came in the midst of connect()");
  },
  async server({ vsock, peer, check }) {
    using listener = vsock.listening("stream");
    listener.setNonblocking();
    await peer.writeln("LISTENING");
    const acceptAll = () => {
      for (;;) listener.acceptHere()[Symbol.dispose]();
    };
    while (await peer.readUlong() === CONTINUE) {
      check.equal(errorOf(acceptAll), "EAGAIN", "accept() after the last connection");
    }
  },
});
