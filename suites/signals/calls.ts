/**
 * Signals that arrive while a call waits.
 *
 * @module
 */
import {
  Blocked,
  bytes,
  type CaseContext,
  type ConformanceCase,
  connecting,
  defineCase,
  fillWindow,
  forBothTypes,
  INTERRUPT_SIGNAL,
  kernel,
  man,
  MSG_NOSIGNAL,
  SA_RESTART,
  SignalCounter,
  SIGPIPE,
  SO_RCVTIMEO,
  type Socket,
  type SocketType,
  SOL_SOCKET,
  until,
  WINDOW,
} from "../../kit/mod.ts";

const PIECE = 32 * 1024;
const alone = "it changes what a signal does to its process";
const INTERRUPTED = man(
  "signal",
  7,
  "Interruption of system calls and library functions by signal handlers",
);
const RECV = kernel("vsock_connectible_wait_data");
const SEND = kernel("vsock_connectible_sendmsg");

/** Keeps a connection without reading until the other side is done with it. */
async function keep({ vsock, peer }: CaseContext, type: SocketType) {
  using _socket = await vsock.accept(type);
  await peer.expectln("DONE");
}

/** Sends a byte when the other side has seen what the signal did. */
async function sendWhenSeen({ vsock, peer, check }: CaseContext, type: SocketType) {
  using socket = await vsock.accept(type);
  await peer.expectln("SEEN");
  await check.sendsByte(socket);
  await peer.expectln("DONE");
}

/** Begins a call that must wait, and sends its thread a signal. */
async function interrupt<T>({ check }: CaseContext, what: string, call: () => Promise<T>) {
  const blocked = new Blocked(call);
  if (await blocked.sleeps()) blocked.interrupt();
  else check.that(false, `${what} does not wait`);
  return blocked;
}

/** Check that the signal was delivered once. */
function delivered({ check }: CaseContext, signals: SignalCounter) {
  check.equal(signals.count, 1, "how often the signal was delivered");
}

const recvEintr = forBothTypes((type) =>
  defineCase({
    id: `signals/eintr/${type}-recv`,
    title: "a signal ends recv() that waits with EINTR",
    requirement: "recv() that a signal interrupts before data comes MUST fail with EINTR",
    refs: [man("recv", 2, "EINTR"), INTERRUPTED, RECV],
    needs: connecting(type),
    alone,
    does: {
      client:
        `connects a ${type} socket, and checks that a signal without SA_RESTART ends recv() with ` +
        "EINTR, and that the connection goes on",
      server: "accepts, and sends a byte when the client has seen that",
    },
    async client(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.connect(type);
      using signals = new SignalCounter(INTERRUPT_SIGNAL, 0);
      const blocked = await interrupt(context, "recv()", () => socket.recv(bytes(10)));
      await check.fails("EINTR", "recv() with a signal", () => blocked.result);
      delivered(context, signals);
      await peer.writeln("SEEN");
      await check.receivesByte(socket);
      await peer.writeln("DONE");
    },
    server: (context) => sendWhenSeen(context, type),
  })
);

const sendEintr = forBothTypes((type) =>
  defineCase({
    id: `signals/eintr/${type}-send`,
    title: "a signal ends send() that waits for room with EINTR",
    requirement: "send() that a signal interrupts before anything was taken MUST fail with EINTR",
    refs: [man("send", 2, "EINTR"), INTERRUPTED, SEND],
    needs: connecting(type, "known-place"),
    alone,
    does: {
      client: `connects a ${type} socket, fills the window, and checks that a signal without ` +
        "SA_RESTART ends send() with EINTR, and that nothing of it was sent",
      server:
        "accepts, reads the window's bytes when the client has seen that, and checks that then " +
        "the next byte comes",
    },
    async client(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.connect(type);
      check.equal(await fillWindow(context, socket, PIECE), WINDOW, "what fits into the window");
      using signals = new SignalCounter(INTERRUPT_SIGNAL, 0);
      const blocked = await interrupt(context, "send()", () => socket.send(bytes(PIECE).fill(1)));
      await check.fails("EINTR", "send() with a signal", () => blocked.result);
      delivered(context, signals);
      await peer.writeln("SEEN");
      await check.sendsByte(socket);
      await peer.expectln("DONE");
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept(type);
      await peer.expectln("SEEN");
      for (let left = WINDOW; left > 0; left -= PIECE) await check.receives(socket, PIECE);
      await check.receivesByte(socket);
      await peer.writeln("DONE");
    },
  })
);

/** A recv() that goes on behind a signal, or does not. */
function restarted(type: SocketType, timed: boolean) {
  const outcome = timed ? "is EINTR" : "goes on";
  return defineCase({
    id: `signals/restart/${type}-recv${timed ? "-with-time" : ""}`,
    title: `with SA_RESTART recv() ${outcome}${timed ? " where it has SO_RCVTIMEO" : ""}`,
    requirement: timed
      ? "recv() with SO_RCVTIMEO MUST fail with EINTR, whatever SA_RESTART says"
      : "recv() MUST go on behind a handler that was set with SA_RESTART",
    refs: [INTERRUPTED, RECV],
    needs: connecting(type),
    alone,
    does: {
      client:
        `connects a ${type} socket${timed ? ", sets SO_RCVTIMEO to 20 s" : ""}, and checks that ` +
        `recv() ${outcome} when a signal with SA_RESTART was delivered`,
      server: "accepts, and sends a byte when the client has seen that",
    },
    async client(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.connect(type);
      if (timed) socket.setTimeval(SOL_SOCKET, SO_RCVTIMEO, 20_000);
      using signals = new SignalCounter(INTERRUPT_SIGNAL, SA_RESTART);
      const blocked = await interrupt(context, "recv()", () => socket.recv(bytes(10)));
      if (timed) await check.fails("EINTR", "recv() with a signal", () => blocked.result);
      else {
        await deliveredSoon(context, signals);
        check.that(await blocked.sleeps(), "recv() ended with the signal");
      }
      await peer.writeln("SEEN");
      if (timed) await check.receivesByte(socket);
      else {
        const count = await check.succeeds("recv()", () => blocked.result);
        check.equal(count, 1, "what recv() gives");
      }
      delivered(context, signals);
      await peer.writeln("DONE");
    },
    server: (context) => sendWhenSeen(context, type),
  });
}

/** Waits until the handler has run. */
async function deliveredSoon({ check }: CaseContext, signals: SignalCounter) {
  await until(() => signals.count > 0, { timeout: check.patience, pause: 1 });
}

/** Accepting: the listener belongs to the server, and the client connects when it is told to. */
function accepting(isRestarted: boolean) {
  const outcome = isRestarted ? "goes on" : "is EINTR";
  return defineCase({
    id: `signals/${isRestarted ? "restart" : "eintr"}/accept`,
    title: `accept() that waits ${outcome} when a signal comes${
      isRestarted ? " with SA_RESTART" : ""
    }`,
    requirement: isRestarted
      ? "accept() MUST go on behind a handler that was set with SA_RESTART"
      : "accept() that a signal interrupts before a connection comes MUST fail with EINTR",
    refs: [man("accept", 2, "EINTR"), INTERRUPTED, kernel("vsock_accept")],
    alone,
    does: {
      client: `connects when the server says that accept() ${outcome}`,
      server:
        `waits in accept(), checks that it ${outcome} when a signal was delivered, and that ` +
        "it gives the connection",
    },
    async client({ vsock, peer }) {
      using _socket = await vsock.connect("stream");
      await peer.expectln("DONE");
    },
    async server(context) {
      const { vsock, peer, check } = context;
      using listener = vsock.listening("stream");
      using signals = new SignalCounter(INTERRUPT_SIGNAL, isRestarted ? SA_RESTART : 0);
      const blocked = await interrupt(context, "accept()", () => listener.accept());
      if (isRestarted) {
        await deliveredSoon(context, signals);
        check.that(await blocked.sleeps(), "accept() ended with the signal");
      } else await check.fails("EINTR", "accept() with a signal", () => blocked.result);
      delivered(context, signals);
      await peer.writeln("LISTENING");
      const accept = () => isRestarted ? blocked.result : listener.accept();
      const { socket } = await check.succeeds("accept()", accept);
      socket[Symbol.dispose]();
      await peer.writeln("DONE");
    },
  });
}

/** Check that each send() to a peer that is gone is EPIPE, with so many SIGPIPE. */
async function sendsToNobody(context: CaseContext, socket: Socket, raised: 0 | 1) {
  const { check } = context;
  for (const [flags, expected] of [[0, raised], [MSG_NOSIGNAL, 0]] as const) {
    const what = flags === 0 ? "send()" : "send(MSG_NOSIGNAL)";
    using signals = new SignalCounter(SIGPIPE);
    await check.fails(
      "EPIPE",
      `${what} to a peer that has closed`,
      () => socket.send(bytes(1), flags),
    );
    check.equal(signals.count, expected, `how many SIGPIPE ${what} raised`);
  }
}

const sigpipe = forBothTypes((type) =>
  defineCase({
    id: `signals/sigpipe/${type}-when-the-peer-closed`,
    title: `send() to a peer that has closed is EPIPE ${
      type === "stream" ? "with SIGPIPE" : "without SIGPIPE"
    }`,
    requirement: type === "stream"
      ? "send() on a stream whose peer has closed MUST fail with EPIPE and raise SIGPIPE, once"
      : "send() of a message whose peer has closed MUST fail with EPIPE, and SHOULD raise no SIGPIPE",
    refs: [man("send", 2, "MSG_NOSIGNAL"), SEND],
    needs: connecting(type),
    alone: "it counts the signals of its process",
    does: {
      client:
        `connects a ${type} socket, waits until the server has closed, and checks that send() is ` +
        `EPIPE with ${
          type === "stream" ? "one SIGPIPE" : "no SIGPIPE"
        }, and send(MSG_NOSIGNAL) with none`,
      server: "accepts, and closes",
    },
    async client(context) {
      const { vsock, peer } = context;
      using socket = await vsock.connect(type);
      await peer.expectln("CLOSED");
      await vsock.waitRemoteClose(socket);
      await sendsToNobody(context, socket, type === "stream" ? 1 : 0);
    },
    async server({ vsock, peer }) {
      using socket = await vsock.accept(type);
      await socket.close();
      await peer.writeln("CLOSED");
    },
  })
);

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...recvEintr,
  ...sendEintr,
  accepting(false),
  accepting(true),
  ...forBothTypes((type) => restarted(type, false)),
  ...forBothTypes((type) => restarted(type, true)),
  defineCase({
    id: "signals/short-count/stream-send",
    title: "a signal ends a send() that has taken a part with that count",
    requirement: "send() that a signal interrupts MUST return how much it took, if it took any",
    refs: [INTERRUPTED, SEND],
    needs: ["known-place"],
    alone,
    does: {
      client:
        "connects, and checks that send() of 300000 bytes into a window of 262144 returns 262144 " +
        "when a signal comes",
      server: "accepts, and reads nothing",
    },
    async client(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.connect("stream");
      using signals = new SignalCounter(INTERRUPT_SIGNAL, 0);
      const blocked = await interrupt(context, "send()", () => socket.send(bytes(300_000)));
      const taken = await check.succeeds("send() with a signal", () => blocked.result);
      check.equal(taken, WINDOW, "what send() returns that a signal ends");
      delivered(context, signals);
      await peer.writeln("DONE");
    },
    server: (context) => keep(context, "stream"),
  }),
  ...sigpipe,
];
