/**
 * Connections that nobody accepts.
 *
 * @module
 */
import {
  type ConformanceCase,
  connectInBackground,
  connectPatiently,
  defineCase,
  errorOf,
  kernel,
  man,
  POLLIN,
  SysError,
  upstream,
} from "../../kit/mod.ts";

/** What the client sends to the server: that it will connect once more, or that it is done. */
const CONTINUE = 1n;
const DONE = 0n;
/** How long connect() races with close(), in milliseconds. */
const RACE_TIME = 2000;
/** The longest that a listener stays open, in milliseconds. */
const LISTEN_TIME = 3;

/** How many listeners come and go before this side yields. */
const AT_ONCE = 50;
/** For how long, in milliseconds: within 2 s the leak of a faulty kernel showed 3 times out of 4. */
const LONG_RACE_TIME = 5000;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /**
   * A listener is closed while a connection is being established with it. A leak does not show
   * here but in the kernel's socket count, and in kmemleak.
   */
  defineCase({
    id: "stream/accept-queue/closed-while-connecting",
    title: "connect() racing with the listener's close() succeeds or is reset",
    requirement:
      "connect() to a listener that is being closed MUST succeed or fail with ECONNRESET",
    refs: [
      upstream(
        "SOCK_STREAM leak accept queue",
        "checks that connect() either succeeds or is reset, and keeps the listener open for a " +
          "random time of up to 3 ms or until a connection is queued: control lines between two " +
          "instances of this tool take longer, so a listener closed at once would be gone before " +
          "each connect()",
      ),
      man("listen", 2, "DESCRIPTION"),
      kernel("virtio_transport_recv_listen"),
    ],
    does: {
      client: "connects repeatedly for 2 s, each time after the server has announced that it is " +
        "listening, and checks that connect() succeeds or fails with ECONNRESET",
      server:
        "listens for each connect(), waits in poll() for a random time of at most 3 ms, and " +
        "closes the listener without calling accept()",
    },
    async client({ vsock, peer, check }) {
      const end = performance.now() + RACE_TIME;
      do {
        await peer.writeUlong(CONTINUE);
        await peer.expectln("LISTENING");
        using socket = vsock.open("stream");
        connectPatiently(socket);
        try {
          await socket.connect(vsock.peerAddress());
          check.that(true, "connect()");
        } catch (error) {
          if (!(error instanceof SysError)) throw error;
          check.that(error.code === "ECONNRESET", error.message);
        }
      } while (performance.now() < end);
      await peer.writeUlong(DONE);
    },
    async server({ vsock, peer, random }) {
      while (await peer.readUlong() === CONTINUE) {
        using listener = vsock.listening("stream");
        await peer.writeln("LISTENING");
        await listener.poll(POLLIN, random.below(LISTEN_TIME + 1));
      }
    },
  }),
  /**
   * As above, but without synchronization between the two, and so as often as possible: a request
   * has to arrive and wait for the listener's lock in the few microseconds after close() has taken
   * that lock and before it removes the listener from the table of bound sockets.
   */
  defineCase({
    id: "stream/accept-queue/closed-all-the-time",
    title: "listeners closed while connections come in leave nothing behind",
    requirement: "close() of a listener MUST end every connection that it has not accepted",
    refs: [man("listen", 2, "DESCRIPTION"), kernel("virtio_transport_recv_listen")],
    timeFactor: 2,
    does: {
      client:
        "starts a non-blocking connect(), checks that it fails with EINPROGRESS, and closes the " +
        "socket, over and over for 5 s",
      server:
        "listens and closes the listener at once, over and over, until the client is done; accepts " +
        "nothing",
    },
    async client({ vsock, peer, check }) {
      await peer.expectln("LISTENING");
      for (const end = performance.now() + LONG_RACE_TIME; performance.now() < end;) {
        await peer.letOthersRun();
        using socket = vsock.open("stream");
        connectInBackground(socket);
        const code = errorOf(() => socket.connectHere(vsock.peerAddress()));
        check.that(code === "EINPROGRESS", `connect() that does not wait: got ${code}`);
      }
      await peer.writeln("DONE");
    },
    async server({ vsock, peer }) {
      await peer.writeln("LISTENING");
      const done = peer.expectln("DONE").then(() => true);
      const next = () => new Promise<false>((resolve) => setTimeout(resolve, 0, false));
      while (!await Promise.race([done, next()])) {
        for (let i = 0; i < AT_ONCE; i++) {
          using _listener = vsock.listening("stream");
        }
      }
    },
  }),
];
