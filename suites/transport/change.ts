/**
 * Sockets whose connect() moves them from one transport to another.
 *
 * @module
 */
import {
  Alarm,
  type CaseContext,
  cidElsewhere,
  cidNowhere,
  type ConformanceCase,
  connectInBackground,
  connectPatiently,
  defineCase,
  errorOf,
  FOREIGN_CID,
  kernel,
  LOCAL_CIDS,
  man,
  type Random,
  SO_LINGER,
  type Socket,
  SOL_SOCKET,
  upstream,
  Urgency,
  VMADDR_PORT_ANY,
} from "../../kit/mod.ts";

/** MAX_PORT_RETRIES: how many ports the kernel tries when it binds a socket automatically. */
const PORTS_TRIED = 24;

/**
 * Takes the ports that the kernel would bind a socket to, so that connect() assigns a transport and
 * then fails; then connects elsewhere, so that the transport of an unbound socket is released. The
 * socket is not moved a second time: once it has found a port there, or waits for an answer, there
 * is nothing left to test.
 *
 * @returns whether the CID that it is moved from has a transport to test this with.
 */
async function moveUnbound(from: number, to: number, context: CaseContext): Promise<boolean> {
  const { vsock, check } = context;
  const taken: Socket[] = [];
  using first = vsock.open("stream");
  try {
    if (errorOf(() => first.bind({ cid: from, port: VMADDR_PORT_ANY })) === "EADDRNOTAVAIL") {
      return false;
    }
    const { port } = first.getsockname();
    for (let i = 1; i <= PORTS_TRIED; i++) {
      taken.push(vsock.bound("stream", { cid: from, port: port + i }));
    }
    first[Symbol.dispose]();
    using socket = vsock.open("stream");
    connectInBackground(socket);
    const address = { cid: from, port: port + PORTS_TRIED };
    const refused = await check.fails(
      ["EADDRNOTAVAIL", "ENODEV"],
      `connect() to CID ${from} without a free port`,
      () => socket.connectHere(address),
    );
    if (refused?.code === "ENODEV") return false;
    const result = errorOf(() => socket.connectHere({ ...address, cid: to }));
    check.that(
      !["EALREADY", "EISCONN", "EADDRNOTAVAIL"].includes(result ?? ""),
      `connect() to CID ${to} after one that failed: it is taken to go on, ${result}`,
    );
    return true;
  } finally {
    for (const socket of taken) socket[Symbol.dispose]();
  }
}

/** What the client sends to the server: that there may be connections, or that it is done. */
const CONTINUE = 1n;
const DONE = 0n;
/** How long sockets are moved, in milliseconds. */
const RACE_TIME = 2000;
/** The limit if no signal has interrupted a call by then, in milliseconds. */
const MAX_RACE_TIME = 7000;
/** The timer's initial delay before the signal, in microseconds. */
const FIRST_DELAY = 100;
/** By how much the delay changes after a signal that missed the call. */
const STEP = 1.25;

/**
 * Interrupts calls of this thread, and learns the right time from those it missed. The signal counts
 * only if it reaches the thread before the answer to its call does: it runs before the loopback
 * transport's kernel worker, if that is permitted.
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

  /** Makes a call and returns the name of its error, EINTR if the signal interrupted it. */
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

/**
 * Interrupts connect() to the peer, again and again, and then connects the same socket elsewhere.
 *
 * @param judge gets both results, if they are to be checked.
 */
async function interruptAndMove(
  { vsock, peer, check, random }: CaseContext,
  cid: number,
  judge: (first: string | undefined, second: string | undefined) => void,
): Promise<void> {
  await peer.expectln("LISTENING");
  using interrupter = new Interrupter(random);
  const address = vsock.peerAddress();
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
    connectPatiently(socket);
    const first = interrupter.interrupt(() => socket.connectHere(address));
    const known = [undefined, "EINTR", "ECONNRESET"].includes(first);
    check.that(known, `connect() with a signal: expected EINTR or ECONNRESET, got ${first}`);
    // A host does not answer packets that a guest sends to this CID: there is nothing to wait for.
    connectInBackground(socket);
    const second = errorOf(() => socket.connectHere({ ...address, cid }));
    judge(first, second);
    socket[Symbol.dispose]();
    // A listener with a full queue resets; the server has something to accept then, too.
    const queued = [first, second].some((code) => code === undefined || code === "ECONNRESET");
    if (queued) await peer.writeUlong(CONTINUE);
  } while (goesOn());
  await peer.writeUlong(DONE);
  if (interrupter.hits === 0) throw new Error("no signal came in the midst of connect()");
}

/** Accepts the resulting connections and closes them. */
async function acceptInterrupted({ vsock, peer, check }: CaseContext): Promise<void> {
  using listener = vsock.listening("stream");
  listener.setNonblocking();
  await peer.writeln("LISTENING");
  const acceptAll = () => {
    for (;;) listener.acceptHere()[Symbol.dispose]();
  };
  while (await peer.readUlong() === CONTINUE) {
    check.equal(errorOf(acceptAll), "EAGAIN", "accept() after the last connection");
  }
}

const INTERRUPTS = "it sends its thread signals in the midst of calls, and floods the transport";
const ACCEPTS_ALL =
  "listens, accepts and closes all pending connections each time that the client asks for it, " +
  "and checks that accept() then fails with EAGAIN";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** A kernel bug took one reference too few for such a socket; its log shows it. */
  defineCase({
    id: "transport/change/release-of-unbound-socket",
    title: "a socket that could not be bound can be moved to another transport",
    requirement: "connect() that finds no free port MUST fail with EADDRNOTAVAIL and cause no harm",
    alone: "it takes the ports that the kernel would choose next",
    refs: [
      upstream(
        "SOCK_STREAM transport release use-after-free",
        "is skipped if there are no two transports to move between, or none that can be tested; " +
          "takes ENODEV for any CID to mean that the CID has no transport, not only for the " +
          "host's; moves a socket to one other CID only, since a port found there stays with the " +
          "socket",
      ),
      kernel("__vsock_bind"),
      kernel("vsock_assign_transport"),
      kernel("virtio_transport_release"),
    ],
    needs: [{ client: "second-transport" }, { client: "local-transport" }],
    does: {
      client:
        "takes the 24 ports that the kernel would try next on each local CID from 0 to 3 that " +
        "has a transport, checks that connect() there fails with EADDRNOTAVAIL and is not still " +
        "in progress on connect() to another CID: one socket each",
    },
    async client(context) {
      const destinations = new Set([...LOCAL_CIDS, context.vsock.peerAddress().cid, FOREIGN_CID]);
      const tested = new Set<number>();
      for (const from of LOCAL_CIDS) {
        for (const to of destinations) {
          if (to === from) continue;
          if (!await moveUnbound(from, to, context)) break;
          tested.add(from);
        }
      }
      context.check.that(tested.size > 0, "no CID had a transport to test");
    },
  }),
  /** The next connect() moves a socket after an interrupted one; the kernel's log shows the bug. */
  defineCase({
    id: "transport/change/after-interrupted-connect",
    title: "a socket can be moved to another transport after an interrupted connect()",
    requirement:
      "connect() interrupted by a signal MUST fail with EINTR, and a later one MUST cause no harm",
    alone: INTERRUPTS,
    refs: [
      upstream(
        "SOCK_STREAM transport change null-ptr-deref, lockdep warn",
        "one signal for each connect(), from a timer that aims at the middle of the call, " +
          "instead of a thread that calls kill() endlessly; moves to a CID that another transport " +
          "serves, not always to 0, and is skipped if there is none: " +
          "`transport/change/refused-after-interrupted-connect` covers CIDs that no transport " +
          "serves",
      ),
      kernel("vsock_connect"),
      kernel("vsock_assign_transport"),
      kernel("virtio_transport_release"),
    ],
    needs: [{ client: "second-transport" }],
    does: {
      client:
        "opens sockets with SO_LINGER of 1 s for 2 to 7 s, interrupts connect() on each with a " +
        "timer's signal, checks for success, EINTR or ECONNRESET, moves it with connect() to a " +
        "CID of another transport, and closes it",
      server: ACCEPTS_ALL,
    },
    async client(context) {
      const { vsock } = context;
      const cid = cidElsewhere(vsock.machine.place(), vsock.peerAddress().cid);
      if (cid === undefined) throw new Error("there is no second transport any more");
      await interruptAndMove(context, cid, () => {});
    },
    server: acceptInterrupted,
  }),
  /** If no transport serves the CID, the socket must not lose the transport that it has. */
  defineCase({
    id: "transport/change/refused-after-interrupted-connect",
    title: "a socket stays intact when it cannot be moved after an interrupted connect()",
    requirement:
      "connect() to a CID that no transport serves MUST fail with ENODEV, even after an " +
      "interrupted connect(), and cause no harm",
    alone: INTERRUPTS,
    refs: [man("vsock", 7, "ENODEV"), kernel("vsock_connect"), kernel("vsock_assign_transport")],
    needs: [{ client: "cid-without-transport" }],
    does: {
      client:
        "opens sockets with SO_LINGER of 1 s for 2 to 7 s, interrupts connect() on each with a " +
        "timer's signal, checks that connect() to a CID without a transport then fails with " +
        "ENODEV, or EISCONN after a success, and closes it",
      server: ACCEPTS_ALL,
    },
    async client(context) {
      const cid = cidNowhere(context.vsock.machine.place());
      if (cid === undefined) throw new Error("a transport leads everywhere now");
      await interruptAndMove(context, cid, (first, second) => {
        const expected = first === undefined ? "EISCONN" : "ENODEV";
        context.check.equal(
          second,
          expected,
          `connect() to CID ${cid} after ${first ?? "success"}`,
        );
      });
    },
    server: acceptInterrupted,
  }),
];
