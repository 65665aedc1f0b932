/**
 * Messages as records: what a buffer that is too short, MSG_EOR, a length of zero and scattered
 * memory make of them.
 *
 * @module
 */
import {
  type Bytes,
  bytes,
  type CaseContext,
  type ConformanceCase,
  defineCase,
  kernel,
  man,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  type Socket,
  spec,
} from "../../kit/mod.ts";

const needs = ["seqpacket"] as const;
const SEQPACKET = spec("5.10.6.6 Seqpacket Sockets");
const DEQUEUE = kernel("virtio_transport_seqpacket_dequeue");

/** A message to send: its length, and whether it ends a record. */
type Record = readonly [length: number, eor: boolean];

/** Connects, sends messages of random bytes, says so, and waits for the server. */
function sendRecords(context: CaseContext, records: readonly Record[]) {
  return sendRecordsInTurn(context, records, () => context.peer.writeln("SENT"));
}

/**
 * Sends messages that need not all fit into the window: the server may read meanwhile.
 *
 * @param whenSent what is done before the server is waited for.
 */
async function sendRecordsInTurn(
  { vsock, peer, check, random }: CaseContext,
  records: readonly Record[],
  whenSent?: () => Promise<void>,
) {
  using socket = await vsock.connect("seqpacket");
  for (const [length, eor] of records) {
    await check.sends(socket, random.bytes(length), eor ? MSG_EOR : 0);
  }
  await whenSent?.();
  await peer.expectln("DONE");
}

/** Check that one recvmsg() gives so many bytes, the first of a message, and just these flags. */
async function receivesMessage(
  { check }: CaseContext,
  socket: Socket,
  { room, message, asked = 0, flags }: {
    readonly room: number;
    readonly message: Bytes;
    readonly asked?: number;
    readonly flags: number;
  },
) {
  const into = bytes(room);
  const what = `recvmsg() of ${message.length} bytes with room for ${room}`;
  const received = await check.succeeds(what, () => socket.recvmsg([into], asked));
  const length = Math.min(room, message.length);
  check.equal(received.length, length, `what ${what} returns`);
  check.equal(received.flags & (MSG_TRUNC | MSG_EOR), flags, `MSG_TRUNC and MSG_EOR of ${what}`);
  check.sameBytes(into.subarray(0, length), message.subarray(0, length), `the data of ${what}`);
}

/** The records of an exchange whose ends of records are drawn. */
function drawnRecords({ random }: CaseContext): Record[] {
  const sizes = [1, 100, 4052, 4053, 8104, 10_000, 33_000, 65_536, 65_537, 100_000];
  return sizes.map((size) => [size, random.below(2) === 1]);
}

const SHORT: readonly Record[] = [[100, false], [5000, true], [70_000, false], [30, false]];
const TWO: readonly Record[] = [[40, false], [50, false]];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineCase({
    id: "messages/short-buffer/loses-the-tail",
    title: "a message that does not fit loses its tail, says so, and the next one follows",
    requirement:
      "recvmsg() into a buffer that is too short MUST fill it, set MSG_TRUNC and discard the rest",
    refs: [man("recvmsg", 2, "MSG_TRUNC"), SEQPACKET, DEQUEUE],
    needs,
    does: {
      client: "connects, and sends messages of 100, 5000, 70000 and 30 bytes",
      server:
        "accepts, receives 40 bytes of each with recvmsg(), and checks that MSG_TRUNC is set " +
        "for all but the last, and that each call begins the next message",
    },
    client: (context) => sendRecords(context, SHORT),
    async server(context) {
      const { vsock, peer, random } = context;
      using socket = await vsock.accept("seqpacket");
      await peer.expectln("SENT");
      for (const [length, eor] of SHORT) {
        const flags = (length > 40 ? MSG_TRUNC : 0) | (eor ? MSG_EOR : 0);
        await receivesMessage(context, socket, { room: 40, message: random.bytes(length), flags });
      }
      await peer.writeln("DONE");
    },
  }),
  defineCase({
    id: "messages/eor/on-exactly-its-message",
    title: "MSG_EOR comes with exactly the messages that it was sent with",
    requirement: "recvmsg() MUST set MSG_EOR for each message that was sent with it, and no other",
    refs: [man("recvmsg", 2, "MSG_EOR"), SEQPACKET, DEQUEUE],
    needs,
    does: {
      client: "connects, and sends ten messages of 1 to 100000 bytes, those that are drawn with " +
        "MSG_EOR",
      server: "accepts, and checks of each that it is whole and has MSG_EOR if it was sent with it",
    },
    client: (context) => {
      const records = drawnRecords(context);
      return sendRecordsInTurn(context, records);
    },
    async server(context) {
      const { vsock, peer, random } = context;
      const records = drawnRecords(context);
      using socket = await vsock.accept("seqpacket");
      for (const [length, eor] of records) {
        const flags = eor ? MSG_EOR : 0;
        await receivesMessage(context, socket, {
          room: 100_100,
          message: random.bytes(length),
          flags,
        });
      }
      await peer.writeln("DONE");
    },
  }),
  defineCase({
    id: "messages/eor/stream-has-none",
    title: "a stream has no records: MSG_EOR and MSG_TRUNC change nothing of it",
    requirement: "a stream SHOULD ignore MSG_EOR of send(), and keep what recv(MSG_TRUNC) leaves",
    refs: [man("send", 2, "MSG_EOR"), kernel("virtio_transport_stream_dequeue")],
    does: {
      client: "connects, and sends 100 bytes with MSG_EOR",
      server:
        "accepts, and checks that recvmsg(MSG_TRUNC) with room for 40 bytes gives 40 without " +
        "MSG_EOR or MSG_TRUNC, and that the other 60 follow",
    },
    client: async ({ vsock, peer, check, random }) => {
      using socket = await vsock.connect("stream");
      await check.sends(socket, random.bytes(100), MSG_EOR);
      await peer.writeln("SENT");
      await peer.expectln("DONE");
    },
    async server(context) {
      const { vsock, peer, check, random } = context;
      using socket = await vsock.accept("stream");
      await peer.expectln("SENT");
      const data = random.bytes(100);
      const first = { room: 40, message: data, asked: MSG_TRUNC, flags: 0 };
      await receivesMessage(context, socket, first);
      check.sameBytes(await check.receives(socket, 60), data.subarray(40), "the other 60 bytes");
      await peer.writeln("DONE");
    },
  }),
  defineCase({
    id: "messages/zero-length/sends-nothing",
    title: "a send of no bytes sends no message, and a receive of none takes none",
    requirement:
      "send() and recv() of 0 bytes SHOULD return 0 and leave the queue of messages as it is",
    refs: [man("send", 2, "RETURN VALUE"), kernel("vsock_connectible_sendmsg")],
    needs,
    does: {
      client: "connects, checks that send() of no bytes is 0, sends 5 bytes, and tells the server",
      server: "accepts, and checks that recv() of no bytes is 0 twice and then that of 10 bytes " +
        "gives those 5, the only message",
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect("seqpacket");
      const taken = await check.succeeds("send(0)", () => socket.send(bytes(0)));
      check.equal(taken, 0, "what send() of no bytes returns");
      await check.sends(socket, bytes(5));
      await peer.writeln("SENT");
      await peer.expectln("DONE");
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept("seqpacket");
      await peer.expectln("SENT");
      for (let i = 0; i < 2; i++) {
        const none = await check.succeeds("recv(0)", () => socket.recv(bytes(0)));
        check.equal(none, 0, "what recv() of no bytes returns");
      }
      const count = await check.succeeds("recv(10)", () => socket.recv(bytes(10)));
      check.equal(count, 5, "the length of the first message");
      await check.fails(
        "EAGAIN",
        "recv() after the only message",
        () => socket.recv(bytes(10), MSG_DONTWAIT),
      );
      await peer.writeln("DONE");
    },
  }),
  defineCase({
    id: "messages/peek/shows-without-taking",
    title: "a peek at a message shows its beginning and its flags, and leaves it",
    requirement:
      "recvmsg(MSG_PEEK) MUST show the next message with MSG_TRUNC and MSG_EOR and leave it whole",
    refs: [
      man("recv", 2, "MSG_PEEK"),
      SEQPACKET,
      kernel("virtio_transport_seqpacket_dequeue"),
    ],
    needs,
    does: {
      client: "connects, and sends messages of 100, 5000, 70000 and 30 bytes, the second with " +
        "MSG_EOR",
      server: "accepts, and checks that two peeks with room for 40 bytes show each message's " +
        "beginning and flags, and that it is then received whole",
    },
    client: (context) => sendRecords(context, SHORT),
    async server(context) {
      const { vsock, peer, random } = context;
      using socket = await vsock.accept("seqpacket");
      await peer.expectln("SENT");
      for (const [length, eor] of SHORT) {
        const message = random.bytes(length);
        const end = eor ? MSG_EOR : 0;
        const flags = (length > 40 ? MSG_TRUNC : 0) | end;
        const peek = { room: 40, message, asked: MSG_PEEK, flags };
        await receivesMessage(context, socket, peek);
        await receivesMessage(context, socket, peek);
        await receivesMessage(context, socket, { room: length + 10, message, flags: end });
      }
      await peer.writeln("DONE");
    },
  }),
  defineCase({
    id: "messages/bounds/never-merged",
    title: "messages that wait together are received one by one, MSG_WAITALL or not",
    requirement: "one recv() MUST give one message, whatever room and MSG_WAITALL ask for",
    refs: [SEQPACKET, DEQUEUE, kernel("__vsock_connectible_recvmsg")],
    needs,
    does: {
      client: "connects, and sends messages of 40 and 50 bytes, twice",
      server: "accepts, receives them when all are there, with room for 1000 bytes, then with " +
        "MSG_WAITALL, and checks that each call gives one",
    },
    client: (context) => sendRecords(context, [...TWO, ...TWO]),
    async server(context) {
      const { vsock, peer, random } = context;
      using socket = await vsock.accept("seqpacket");
      await peer.expectln("SENT");
      for (const asked of [0, MSG_WAITALL]) {
        for (const [length] of TWO) {
          const message = random.bytes(length);
          await receivesMessage(context, socket, { room: 1000, message, asked, flags: 0 });
        }
      }
      await peer.writeln("DONE");
    },
  }),
  defineCase({
    id: "messages/vectors/scattered",
    title: "scattered memory is one message, and one message is scattered",
    requirement: "sendmsg() MUST make one message of its buffers, and recvmsg() fill them in order",
    refs: [man("sendmsg", 2, "msg_iov"), SEQPACKET, kernel("virtio_transport_send_pkt_info")],
    needs,
    does: {
      client: "connects, and sends messages of 3, 5000 and 80000 bytes, each from three buffers",
      server: "accepts, receives each into four odd buffers, and checks that all bytes are right",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect("seqpacket");
      for (const length of [3, 5000, 80_000]) {
        const data = random.bytes(length);
        const cut = Math.floor(length / 3);
        const pieces = [data.subarray(0, 1), data.subarray(1, 1 + cut), data.subarray(1 + cut)];
        const sent = await check.succeeds("sendmsg()", () => socket.sendmsg(pieces));
        check.equal(sent, length, "what sendmsg() returns");
      }
      await peer.expectln("DONE");
    },
    async server({ vsock, peer, check, random }) {
      using socket = await vsock.accept("seqpacket");
      for (const length of [3, 5000, 80_000]) {
        const expected = random.bytes(length);
        const pieces = [1, 1, 4001, length].map((size) => bytes(size));
        const received = await check.succeeds("recvmsg()", () => socket.recvmsg(pieces));
        check.equal(received.length, length, "what recvmsg() returns");
        const joined = bytes(pieces.reduce((sum, piece) => sum + piece.length, 0));
        let at = 0;
        for (const piece of pieces) {
          joined.set(piece, at);
          at += piece.length;
        }
        check.sameBytes(joined.subarray(0, length), expected, `a message of ${length} bytes`);
      }
      await peer.writeln("DONE");
    },
  }),
];
