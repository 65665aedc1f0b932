/**
 * Many messages, and large ones: whole and in order, however slow the reader is.
 *
 * @module
 */
import {
  bytes,
  type CaseContext,
  type ConformanceCase,
  defineCase,
  kernel,
  man,
  MSG_DONTWAIT,
  MSG_TRUNC,
  recvmmsg,
  sendmmsg,
  type Socket,
  spec,
  timedSleep,
} from "../../kit/mod.ts";

const needs = ["seqpacket"] as const;
const CREDIT = spec("5.10.6.3 Buffer Space Management");

const COUNT = 200_000;
const TIMES = 5;

/** A small message that tells its place: its length is drawn by both sides. */
function numbered(i: number, { random }: CaseContext) {
  const message = bytes(2 + random.below(30));
  message[0] = i & 0xff;
  message[1] = i >> 8;
  return message;
}

/** Sends so many small messages without waiting. */
async function sendMany(context: CaseContext, count: number) {
  const { vsock, peer, check } = context;
  using socket = await vsock.connect("seqpacket");
  const sendAll = async () => {
    let sent = 0;
    for (; sent < count; sent++) {
      const message = numbered(sent, context);
      if (socket.sendHere(message) !== message.length) break;
      await peer.letOthersRun();
    }
    return sent;
  };
  check.equal(await check.succeeds(`${count} sends`, sendAll), count, "how many were taken");
  await peer.writeln("SENT");
  await peer.expectln("DONE");
}

/** Receives them when all were sent. */
async function receiveMany(context: CaseContext, count: number) {
  const { vsock, peer, check } = context;
  using socket = await vsock.accept("seqpacket");
  await peer.expectln("SENT");
  const into = bytes(64);
  for (let i = 0; i < count; i++) {
    const expected = numbered(i, context);
    const what = `message ${i} of ${count}`;
    const received = await check.succeeds(what, () => socket.recv(into));
    if (received === 0) throw check.stop(`${what}: end of file`);
    check.sameBytes(into.subarray(0, received), expected, what);
  }
  await peer.writeln("DONE");
}

function small(count: number, claim: string, title: string) {
  return defineCase({
    id: `messages/small/${claim}`,
    title,
    requirement: "messages that fit the peer's window MUST arrive, however many and however late",
    refs: [CREDIT, kernel("virtio_transport_recv_enqueue")],
    needs,
    does: {
      client: `connects, sends ${count} messages of 2 to 31 bytes, far less than the window, and ` +
        "checks that each is taken",
      server: `accepts, receives when all were sent, and checks that all ${count} come in order`,
    },
    client: (context) => sendMany(context, count),
    server: (context) => receiveMany(context, count),
  });
}

async function sendLarge({ check, random }: CaseContext, socket: Socket) {
  for (let i = 0; i < TIMES; i++) {
    const message = random.bytes(COUNT);
    const taken = await check.succeeds(`send(${COUNT})`, () => socket.send(message));
    check.equal(taken, COUNT, `what send() of message ${i} took`);
  }
}

async function receiveLarge({ check, random }: CaseContext, socket: Socket) {
  const into = bytes(COUNT + 1);
  for (let i = 0; i < TIMES; i++) {
    await timedSleep(30);
    const expected = random.bytes(COUNT);
    const count = await check.succeeds(`recv(${COUNT + 1})`, () => socket.recv(into));
    check.sameBytes(into.subarray(0, count), expected, `message ${i}`);
  }
}

const BATCH = 40;

/** The messages of the batch: 1 to 3784 bytes. */
function batch({ random }: CaseContext) {
  return Array.from({ length: BATCH }, (_, i) => random.bytes(1 + 97 * i));
}

/** The one for which there is less room than it has bytes. */
const CUT = 20;
const CUT_ROOM = 10;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  small(300, "three-hundred-unread", "three hundred small messages wait for a late reader"),
  small(2000, "two-thousand-unread", "two thousand small messages wait for a late reader"),
  defineCase({
    id: "messages/large/more-than-is-left",
    title: "messages larger than the credit that is left arrive whole, in both directions",
    requirement: "a message larger than the credit that is left MUST arrive whole and in order",
    refs: [CREDIT, kernel("virtio_transport_seqpacket_enqueue")],
    needs,
    does: {
      client:
        "connects, sends five messages of 200000 bytes, each with one send() that takes all, " +
        "then receives five",
      server:
        "accepts, receives five with a pause before each, checks that each is whole, and sends " +
        "five",
    },
    async client(context) {
      using socket = await context.vsock.connect("seqpacket");
      await sendLarge(context, socket);
      await receiveLarge(context, socket);
      await context.peer.writeln("DONE");
    },
    async server(context) {
      using socket = await context.vsock.accept("seqpacket");
      await receiveLarge(context, socket);
      await sendLarge(context, socket);
      await context.peer.expectln("DONE");
    },
  }),
  defineCase({
    id: "messages/batch/sendmmsg-and-recvmmsg",
    title: "sendmmsg() and recvmmsg() keep every message's bounds",
    requirement:
      "sendmmsg() and recvmmsg() MUST move one message for each header, with its length and flags",
    refs: [
      man("sendmmsg", 2, "DESCRIPTION"),
      man("recvmmsg", 2, "DESCRIPTION"),
      kernel("virtio_transport_seqpacket_dequeue"),
    ],
    needs,
    does: {
      client:
        "connects, sends 40 messages of 1 to 3784 bytes with one sendmmsg(), and checks that it " +
        "sent each whole",
      server:
        "accepts, receives with one recvmmsg(MSG_DONTWAIT) for 45 when all are there, 10 bytes " +
        "of one, and checks that it gives 40, right and MSG_TRUNC on that one",
    },
    async client(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.connect("seqpacket");
      const messages = batch(context);
      const sent = await check.succeeds("sendmmsg()", () => sendmmsg(socket, messages));
      const lengths = messages.map(({ length }) => length);
      check.equal(sent.map(({ length }) => length), lengths, "msg_len of each message sent");
      await peer.writeln("SENT");
      await peer.expectln("DONE");
    },
    async server(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.accept("seqpacket");
      const messages = batch(context);
      await peer.expectln("SENT");
      const buffers = Array.from(
        { length: BATCH + 5 },
        (_, i) => bytes(i === CUT ? CUT_ROOM : 4000),
      );
      const receive = () => recvmmsg(socket, buffers, MSG_DONTWAIT);
      const received = await check.succeeds("recvmmsg(MSG_DONTWAIT)", receive);
      check.equal(received.length, BATCH, "how many messages recvmmsg() gave");
      for (const [i, { length, flags }] of received.entries()) {
        const expected = messages[i]?.subarray(0, i === CUT ? CUT_ROOM : undefined) ?? bytes(0);
        const data = buffers[i]?.subarray(0, length) ?? bytes(0);
        check.sameBytes(data, expected, `message ${i}`);
        check.equal(flags & MSG_TRUNC, i === CUT ? MSG_TRUNC : 0, `MSG_TRUNC of message ${i}`);
      }
      await peer.writeln("DONE");
    },
  }),
];
