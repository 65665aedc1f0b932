/**
 * Credit that must be the same afterwards: of sends that fail, of data that is looked at or thrown
 * away.
 *
 * @module
 */
import {
  bytes,
  type CaseContext,
  type ConformanceCase,
  connecting,
  defineCase,
  errorOfBlocking,
  fillAgain,
  fillWindow,
  forBothTypes,
  kernel,
  MSG_DONTWAIT,
  MSG_PEEK,
  SO_ERROR,
  type Socket,
  SOL_SOCKET,
  spec,
  WINDOW,
} from "../../kit/mod.ts";
import { HoledMemory } from "../_shared/holed_memory.ts";

const refs = [spec("5.10.6.3 Buffer Space Management")];
/** Of what fillWindow() sends, in bytes. */
const MESSAGE = 4096;
/** Together they are more than a window. */
const FAILURES = 20;
const LARGE = 30_000;
const HOLE = 100;
/** How often a window is filled with what packets, and how much of them is read then, in bytes. */
const FILLINGS = 6;
const PACKET = 64 * 1024;
const PART = 40_000;

/** Check that exactly a window fits. */
async function fillsOne(context: CaseContext, socket: Socket, what: string) {
  context.check.equal(await fillAgain(context, socket, WINDOW), WINDOW, what);
  context.check.equal(await fillWindow(context, socket), 0, `${what}, once more`);
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `flow/credit/${type}-failed-send-costs-nothing`,
      title: "a send whose memory is not there uses up no credit",
      requirement: "sendmsg() that fails with EFAULT MUST give back the credit that it took",
      refs: [...refs, kernel("virtio_transport_put_credit")],
      needs: connecting(type, "known-place"),
      does: {
        client:
          `connects a ${type} socket, calls sendmsg() of 30000 bytes and a hole 20 times, and ` +
          "checks that each fails and that then exactly 262144 bytes fit",
        server: "accepts, and reads nothing",
      },
      async client(context) {
        const { vsock, peer, check } = context;
        using memory = new HoledMemory();
        using socket = await vsock.connect(type);
        for (let i = 0; i < FAILURES; i++) {
          const parts = [bytes(LARGE), memory.hole(HOLE)];
          const code = await errorOfBlocking(() => socket.sendmsg(parts, MSG_DONTWAIT));
          // Linux says ENOMEM (K-7), of which errors/memory speaks.
          const fails = code === "EFAULT" || code === "ENOMEM";
          check.that(fails, `sendmsg() ${i} of what is not there: got ${code}`);
        }
        await fillsOne(context, socket, "what fits when 20 sends have failed");
        await peer.writeln("DONE");
      },
      async server({ vsock, peer }) {
        using _socket = await vsock.accept(type);
        await peer.expectln("DONE");
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `flow/credit/${type}-peek-gives-none`,
      title: "a peek at unread data gives the sender no credit",
      requirement: "what MSG_PEEK shows MUST NOT count as read",
      refs: [...refs, kernel("virtio_transport_dec_rx_pkt")],
      needs: connecting(type, "known-place"),
      does: {
        client: `connects a ${type} socket, fills the window, and checks that nothing more fits ` +
          "when the server has peeked, and exactly 262144 bytes when it has read",
        server: "accepts, peeks 64 times, and when the client has tried reads all",
      },
      async client(context) {
        const { vsock, peer, check } = context;
        using socket = await vsock.connect(type);
        check.equal(await fillWindow(context, socket), WINDOW, "what fits into the window");
        await peer.writeln("FULL");
        await peer.expectln("PEEKED");
        check.equal(await fillWindow(context, socket), 0, "what fits when the server has peeked");
        await peer.writeln("TRIED");
        await fillsOne(context, socket, "what fits when the server has read");
        await peer.writeln("DONE");
      },
      async server({ vsock, peer, check }) {
        using socket = await vsock.accept(type);
        await peer.expectln("FULL");
        for (let i = 0; i < WINDOW / MESSAGE; i++) await check.receives(socket, MESSAGE, MSG_PEEK);
        await peer.writeln("PEEKED");
        await peer.expectln("TRIED");
        // Of a stream the last 64 KiB that are read in small pieces need not be told at once.
        const piece = type === "stream" ? WINDOW : MESSAGE;
        for (let left = WINDOW; left > 0; left -= piece) await check.receives(socket, piece);
        await peer.expectln("DONE");
      },
    })
  ),
  defineCase({
    id: "flow/credit/lost-messages-come-back",
    title: "messages that are cut off or cannot be stored come back as credit, whole",
    requirement: "a message that recv() has taken from the queue MUST count as read, all of it",
    refs: [...refs, kernel("virtio_transport_seqpacket_dequeue")],
    needs: ["seqpacket", "known-place"],
    does: {
      client: "connects a seqpacket socket, fills the window with 64 messages, and checks that " +
        "exactly as much fits again when the server has received them, twice",
      server: "accepts, receives 10 bytes of each of the 64 messages, then 64 into memory that " +
        "is not there",
    },
    async client(context) {
      const { vsock, peer } = context;
      using socket = await vsock.connect("seqpacket");
      await fillsOne(context, socket, "what fits into the window");
      await peer.writeln("FULL");
      await fillsOne(context, socket, "what fits when the messages were cut off");
      await peer.writeln("FULL");
      await fillsOne(context, socket, "what fits when the messages could not be stored");
      await peer.writeln("DONE");
    },
    async server({ vsock, peer, check }) {
      using memory = new HoledMemory();
      using socket = await vsock.accept("seqpacket");
      await peer.expectln("FULL");
      for (let i = 0; i < WINDOW / MESSAGE; i++) {
        const length = await check.succeeds("recv(10)", () => socket.recv(bytes(10)));
        check.equal(length, 10, `what recv(10) gives of message ${i}`);
      }
      await peer.expectln("FULL");
      for (let i = 0; i < WINDOW / MESSAGE; i++) {
        const code = await errorOfBlocking(() => socket.recvmsg([memory.hole(HOLE)]));
        check.that(code !== undefined, `recvmsg() of message ${i} to where nothing is succeeded`);
      }
      await peer.expectln("DONE");
    },
  }),
  defineCase({
    id: "flow/credit/read-in-part-and-filled",
    title: "a sender that fills the window of a reader of odd sizes overruns nothing",
    requirement:
      "credit MUST NOT exceed the room that there is, whatever parts of packets have been read",
    refs: [...refs, kernel("virtio_transport_dec_rx_pkt")],
    needs: ["known-place"],
    does: {
      client: "connects, fills the window with packets of 64 KiB whenever the server has read, 6 " +
        "times, and tells how much it sent",
      server: "accepts, reads 40000 bytes after each filling, then the rest, and checks that all " +
        "bytes come, and that there is no error",
    },
    async client(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.connect("stream");
      let sent = 0;
      for (let i = 0; i < FILLINGS; i++) {
        sent += await fillWindow(context, socket, bytes(PACKET).fill(i));
        await peer.writeln("FULL");
        await peer.expectln("READ");
      }
      check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 0, "SO_ERROR of the sender");
      await peer.writeUlong(sent);
      await peer.expectln("DONE");
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      let got = 0;
      for (let i = 0; i < FILLINGS; i++) {
        await peer.expectln("FULL");
        got += (await check.receives(socket, PART)).length;
        await peer.writeln("READ");
      }
      const rest = await peer.readCount(FILLINGS * WINDOW) - got;
      await check.receives(socket, rest);
      check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 0, "SO_ERROR of the reader");
      await peer.writeln("DONE");
    },
  }),
];
