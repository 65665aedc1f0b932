/**
 * Sends that end early: of a message all or nothing has been sent.
 *
 * @module
 */
import {
  Blocked,
  bytes,
  type CaseContext,
  type ConformanceCase,
  defineCase,
  INTERRUPT_SIGNAL,
  kernel,
  man,
  MSG_DONTWAIT,
  SignalCounter,
  SO_SNDTIMEO,
  type Socket,
  SOL_SOCKET,
  spec,
} from "../../kit/mod.ts";

const FIRST = 200_000;
const SECOND = 100_000;
const [MARK, REST, AGAIN] = ["A", "B", "C"].map((letter) => letter.charCodeAt(0));

/** What ends a send() for which there is no credit. */
interface End {
  readonly claim: string;
  readonly by: string;
  readonly code: string;
  readonly alone?: string;
  /** Sends the second message, which ends as it is said to. */
  send(context: CaseContext, socket: Socket): Promise<unknown>;
}

const message = (length: number, content = 0) => bytes(length).fill(content);

/** One message that fits, one of which a part fits, and the second again when there is room. */
async function sendTwice(context: CaseContext, { by, code, send }: End) {
  const { vsock, peer, check } = context;
  using socket = await vsock.connect("seqpacket");
  await check.sends(socket, message(FIRST, MARK));
  await check.fails(code, `send(${SECOND}) ended by ${by}`, () => send(context, socket));
  await peer.writeln("TRIED");
  await peer.expectln("READ");
  const again = () => socket.send(message(SECOND, AGAIN));
  check.equal(await check.succeeds("send() again", again), SECOND, "what the next send() took");
  await peer.writeln("SENT");
  await peer.expectln("DONE");
}

/** Receives the first message, and the second, which was sent again. */
async function receiveTwo({ vsock, peer, check }: CaseContext) {
  using socket = await vsock.accept("seqpacket");
  await peer.expectln("TRIED");
  const into = bytes(FIRST + SECOND);
  const count = await check.succeeds("recv()", () => socket.recv(into));
  check.sameBytes(into.subarray(0, count), message(FIRST, MARK), "the first message");
  await peer.writeln("READ");
  const next = await check.succeeds("recv()", () => socket.recv(into));
  check.equal(next, SECOND, "the length of the message that was sent again");
  check.that(into.subarray(0, next).every((byte) => byte === AGAIN), "it has other data in it");
  await peer.expectln("SENT");
  const more = () => socket.recv(into, MSG_DONTWAIT);
  await check.fails("EAGAIN", "recv() after the second message", more);
  await peer.writeln("DONE");
}

const ENDS: readonly End[] = [
  {
    ...{ claim: "nonblocking-send", by: "MSG_DONTWAIT", code: "EAGAIN" },
    send: (_, socket) => socket.send(message(SECOND, REST), MSG_DONTWAIT),
  },
  {
    ...{ claim: "timed-out-send", by: "SO_SNDTIMEO", code: "EAGAIN" },
    send: (_, socket) => {
      socket.setTimeval(SOL_SOCKET, SO_SNDTIMEO, 100);
      const sending = socket.send(message(SECOND, REST));
      return sending.finally(() => socket.setTimeval(SOL_SOCKET, SO_SNDTIMEO, 0));
    },
  },
  {
    ...{ claim: "interrupted-send", by: "a signal", code: "EINTR" },
    alone: "it changes what a signal does to its process",
    send: async ({ check }, socket) => {
      using _signals = new SignalCounter(INTERRUPT_SIGNAL, 0);
      const blocked = new Blocked(() => socket.send(message(SECOND, REST)));
      if (await blocked.sleeps()) blocked.interrupt();
      else check.that(false, "send() does not wait for credit");
      return await blocked.result;
    },
  },
];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...ENDS.map((end) =>
    defineCase({
      id: `messages/torn/${end.claim}`,
      title: `a send that is ended by ${end.by} leaves no part of its message behind`,
      requirement: "send() of a message that fails MUST have sent nothing of it",
      refs: [
        man("send", 2, "DESCRIPTION"),
        spec("5.10.6.6 Seqpacket Sockets"),
        kernel("virtio_transport_seqpacket_enqueue"),
      ],
      needs: ["seqpacket", "known-place"],
      ...end.alone === undefined ? {} : { alone: end.alone },
      does: {
        client: `connects, sends 200000 bytes, checks that a message of 100000 is ${end.code} by ` +
          `${end.by}, and sends another when the first was read`,
        server:
          "accepts, receives the first when the client has tried, and checks that the next is " +
          "the other, whole and alone",
      },
      client: (context) => sendTwice(context, end),
      server: receiveTwo,
    })
  ),
  defineCase({
    id: "messages/partial/is-no-success",
    title: "a send of a message for which there is only a part of the credit fails",
    requirement: "send() of a message MUST take all of it or fail, and never return a short count",
    refs: [
      man("send", 2, "EAGAIN"),
      spec("5.10.6.6 Seqpacket Sockets"),
      kernel("vsock_connectible_sendmsg"),
    ],
    needs: ["seqpacket", "known-place"],
    does: {
      client: "connects, sends 200000 bytes, and checks that send(100000) is EAGAIN with " +
        "MSG_DONTWAIT and after SO_SNDTIMEO of 100 ms",
      server: "accepts, and reads nothing until the client is done",
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect("seqpacket");
      await check.sends(socket, message(FIRST, MARK));
      const send = (flags: number) => () => socket.send(message(SECOND, REST), flags);
      await check.fails("EAGAIN", `send(${SECOND}, MSG_DONTWAIT)`, send(MSG_DONTWAIT));
      socket.setTimeval(SOL_SOCKET, SO_SNDTIMEO, 100);
      await check.fails("EAGAIN", `send(${SECOND}) with SO_SNDTIMEO`, send(0));
      await peer.writeln("DONE");
    },
    async server({ vsock, peer }) {
      using _socket = await vsock.accept("seqpacket");
      await peer.expectln("DONE");
    },
  }),
];
