/**
 * How connections end: SHUTDOWN one way, both ways, and RST.
 *
 * @module
 */
import {
  bytes,
  type ConformanceCase,
  kernel,
  man,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  spec,
} from "../../kit/mod.ts";
import {
  defineWireCase,
  SHUTDOWN_BOTH,
  SHUTDOWN_RECEIVE,
  SHUTDOWN_SEND,
  type WireCase,
} from "../../kit/wire.ts";

const STREAM = spec("5.10.6.5 Stream Sockets");

/** What shutdown(2) becomes. */
const HOWS = [
  { name: "write", how: SHUT_WR, flags: SHUTDOWN_SEND },
  { name: "read", how: SHUT_RD, flags: SHUTDOWN_RECEIVE },
  { name: "both", how: SHUT_RDWR, flags: SHUTDOWN_BOTH },
] as const;

const byHost = HOWS.map(({ name, how, flags }) =>
  defineWireCase({
    id: `wire/shutdown/host-shuts-${name}`,
    title: `shutdown() of ${
      name === "both" ? "both" : `the ${name} side`
    } sends SHUTDOWN with flags ${flags}`,
    requirement: `shutdown() MUST send SHUTDOWN whose flags say what ends: ${flags}`,
    refs: [STREAM, man("shutdown", 2, "DESCRIPTION"), kernel("virtio_transport_shutdown")],
    does:
      `connects a raw guest, has the host shut down ${
        name === "both" ? "both sides" : `its ${name} side`
      }, ` +
      `and checks that SHUTDOWN with flags ${flags} comes, and nothing more`,
    async raw({ guest, peer }) {
      for (const type of ["stream", "seqpacket"] as const) {
        const line = await guest.connect(type);
        await line.gets("SHUTDOWN", { flags });
        await line.getsNothing();
        await peer.writeln("NEXT");
      }
    },
    async socket({ vsock, peer }) {
      for (const type of ["stream", "seqpacket"] as const) {
        using socket = await vsock.accept(type);
        socket.shutdown(how);
        await peer.expectln("NEXT");
      }
    },
  })
);

/** The host reads to the end when it is told to, and closes. */
const readsToEnd: NonNullable<WireCase["socket"]> = async ({ vsock, peer, check }) => {
  using socket = await vsock.accept("stream");
  await peer.expectln("READ");
  await check.receives(socket, 5);
  await check.receivesEnd(socket);
};

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...byHost,
  defineWireCase({
    id: "wire/shutdown/host-shuts-one-by-one",
    title: "shutdown() of one side and then the other sends both flags in the end",
    requirement: "SHUTDOWN of both sides MUST have both flags, also where one was sent before",
    refs: [STREAM, kernel("virtio_transport_shutdown")],
    does:
      "connects a raw guest, has the host shut down its write side, then its read side, and checks " +
      "that SHUTDOWN with flags 2 and then 1 or 3 comes",
    async raw({ guest, peer, check }) {
      const line = await guest.connect();
      await line.gets("SHUTDOWN", { flags: SHUTDOWN_SEND });
      await peer.writeln("READ SIDE");
      const packet = await guest.next(line);
      check.equal(packet?.op, 4, "the op of what comes next");
      check.flag(packet?.flags ?? 0, SHUTDOWN_RECEIVE, "flags of the second SHUTDOWN");
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer }) {
      using socket = await vsock.accept("stream");
      socket.shutdown(SHUT_WR);
      await peer.expectln("READ SIDE");
      socket.shutdown(SHUT_RD);
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/shutdown/close-asks-and-is-answered",
    title: "close() sends SHUTDOWN of both sides, and RST ends it",
    requirement: "close() MUST send SHUTDOWN of both sides, and nothing after the peer's RST",
    refs: [STREAM, kernel("virtio_transport_recv_pkt")],
    does:
      "connects a raw guest, has the host close, checks that SHUTDOWN with flags 3 comes, answers " +
      "with RST, and checks that nothing comes back, and that the ports can be used again",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      await peer.writeln("CLOSE");
      await line.gets("SHUTDOWN", { flags: SHUTDOWN_BOTH });
      line.sends("RST");
      await line.getsNothing();
      await peer.expectln("LISTENING");
      line.sends("REQUEST", { fwdCnt: 0 });
      await line.gets("RESPONSE");
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer }) {
      const socket = await vsock.accept("stream");
      await peer.expectln("CLOSE");
      await socket.close();
      vsock.listening("stream");
      await peer.writeln("LISTENING");
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/shutdown/close-unanswered",
    title: "RST ends a close() that nobody answers",
    requirement: "a side that sent SHUTDOWN and gets no RST MUST send RST after a time",
    refs: [STREAM, kernel("virtio_transport_close_timeout")],
    slow: true,
    timeFactor: 3,
    does:
      "connects a raw guest, has the host close, does not answer SHUTDOWN, and checks that RST " +
      "comes within 12 s, and no sooner than 4 s",
    async raw({ guest, peer, check }) {
      const line = await guest.connect();
      await peer.writeln("CLOSE");
      await line.gets("SHUTDOWN", { flags: SHUTDOWN_BOTH });
      const started = performance.now();
      let packet = undefined;
      while (packet === undefined && performance.now() - started < 12_000) {
        packet = await guest.next(line);
      }
      const seconds = (performance.now() - started) / 1000;
      check.equal(packet?.op, 3, "the op of what ends it");
      check.that(seconds > 4, `RST came after ${seconds.toFixed(1)} s`);
    },
    async socket({ vsock, peer }) {
      const socket = await vsock.accept("stream");
      await peer.expectln("CLOSE");
      await socket.close();
    },
  }),
  defineWireCase({
    id: "wire/shutdown/guest-sends-no-more",
    title: "SHUTDOWN of the sender's side is the end for the reader alone",
    requirement:
      "after SHUTDOWN with flags 2 recv() MUST return 0 once all is read, and send() go on",
    refs: [STREAM, kernel("virtio_transport_recv_pkt")],
    does:
      "connects a raw guest, sends 5 bytes and SHUTDOWN with flags 2, and checks that the host " +
      "reads 5 bytes and an end, and that a byte of its comes",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      line.sends("RW", { data: 5 });
      line.sends("SHUTDOWN", { flags: SHUTDOWN_SEND });
      await line.gets("RW", { data: Uint8Array.of(0x41) });
      await line.getsNothing(["CREDIT_UPDATE"]);
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await check.receives(socket, 5);
      await check.receivesEnd(socket);
      await check.sendsByte(socket);
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/shutdown/guest-receives-no-more",
    title: "SHUTDOWN of the receiver's side is the end for the writer alone",
    requirement: "after SHUTDOWN with flags 1 send() MUST fail with EPIPE, and recv() go on",
    refs: [STREAM, kernel("virtio_transport_recv_pkt")],
    does:
      "connects a raw guest, sends SHUTDOWN with flags 1 and then a byte, and checks that send() of " +
      "the host fails with EPIPE, that it reads the byte, and that nothing comes",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      line.sends("SHUTDOWN", { flags: SHUTDOWN_RECEIVE });
      line.sends("RW", { data: Uint8Array.of(0x41) });
      await guest.settle();
      await peer.writeln("SHUT");
      await peer.expectln("TRIED");
      await line.getsNothing(["CREDIT_UPDATE"]);
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await peer.expectln("SHUT");
      await check.fails("EPIPE", "send() after SHUTDOWN", () => socket.send(bytes(1)));
      await check.receivesByte(socket);
      await peer.writeln("TRIED");
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/shutdown/guest-shuts-both",
    title: "SHUTDOWN of both sides is answered with RST",
    requirement: "a host MUST answer SHUTDOWN of both sides with RST where nothing is left to read",
    refs: [STREAM, kernel("virtio_transport_recv_pkt")],
    does:
      "connects a raw guest, sends SHUTDOWN with flags 3, and checks that RST comes, and that recv() " +
      "of the host returns 0 and send() fails with EPIPE",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      line.sends("SHUTDOWN", { flags: SHUTDOWN_BOTH });
      await line.gets("RST");
      await peer.writeln("RESET");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await peer.expectln("RESET");
      await check.receivesEnd(socket);
      await check.fails("EPIPE", "send()", () => socket.send(bytes(1)));
    },
  }),
  defineWireCase({
    id: "wire/shutdown/bits-accumulate",
    title: "SHUTDOWN of one side and then of the other is SHUTDOWN of both",
    requirement: "what SHUTDOWN said MUST hold on where a later one does not say it again",
    refs: [STREAM, kernel("virtio_transport_recv_pkt")],
    does:
      "connects a raw guest, sends SHUTDOWN with flags 2, with flags 0 and with flags 1, and checks " +
      "that nothing comes before the last, and RST after it",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      line.sends("SHUTDOWN", { flags: SHUTDOWN_SEND });
      line.sends("SHUTDOWN", { flags: 0 });
      await line.getsNothing();
      line.sends("SHUTDOWN", { flags: SHUTDOWN_RECEIVE });
      await line.gets("RST");
      await peer.writeln("RESET");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await peer.expectln("RESET");
      await check.receivesEnd(socket);
    },
  }),
  defineWireCase({
    id: "wire/shutdown/data-first",
    title: "SHUTDOWN of both sides is not answered while data is left to read",
    requirement: "a host MUST NOT drop data that came before SHUTDOWN",
    refs: [STREAM, kernel("virtio_transport_recv_pkt")],
    does:
      "connects a raw guest, sends 5 bytes and SHUTDOWN with flags 3, and checks that no RST comes " +
      "before the host has read them and closed",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      line.sends("RW", { data: 5 });
      line.sends("SHUTDOWN", { flags: SHUTDOWN_BOTH });
      await line.getsNothing();
      await peer.writeln("READ");
      await line.gets("RST");
    },
    socket: readsToEnd,
  }),
];
