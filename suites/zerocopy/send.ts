/**
 * Sending with MSG_ZEROCOPY, from every memory layout: what arrives, and what the completion says.
 *
 * @module
 */
import {
  bytes,
  type CaseContext,
  type ConformanceCase,
  defineCase,
  djb2,
  kernel,
  man,
  MSG_ZEROCOPY,
  POLLERR,
  SO_ZEROCOPY,
  type Socket,
  type SocketType,
  SOL_SOCKET,
  upstream,
} from "../../kit/mod.ts";
import { receivesCompletion } from "../_shared/completion.ts";
import { lengthOf, type Shape, ShapedMemory, SHAPES } from "../_shared/shapes.ts";

/** How long to wait for a completion that must not come, in milliseconds. */
const QUIET_TIME = 100;

async function sendShape(type: SocketType, shape: Shape, context: CaseContext) {
  const { vsock, peer, check, random } = context;
  using socket = await vsock.connect(type);
  if (shape.zerocopy) await check.setsInt(socket, SOL_SOCKET, SO_ZEROCOPY, 1);
  using memory = new ShapedMemory(shape.elements, (length) => random.bytes(length));
  const send = () => socket.sendmsg(memory.vectors, MSG_ZEROCOPY);
  if (shape.error === undefined) {
    const sent = await check.succeeds(`${shape.name}: sendmsg(MSG_ZEROCOPY)`, send);
    check.equal(
      sent,
      lengthOf(shape.elements),
      `${shape.name}: how much sendmsg(MSG_ZEROCOPY) took`,
    );
  } else {
    await check.fails(shape.error, `${shape.name}: sendmsg(MSG_ZEROCOPY)`, send);
  }
  await completes(socket, shape, context);
  await peer.writeUlong(shape.error === undefined ? djb2(memory.content) : 0);
  await peer.writeln("DONE");
}

async function completes(socket: Socket, { name, completion }: Shape, { check }: CaseContext) {
  const time = completion === undefined ? QUIET_TIME : check.patience;
  const revents = await check.succeeds(`${name}: poll()`, () => socket.poll(0, time));
  const expected = completion === undefined ? "no completion" : "a completion";
  const there = (revents & POLLERR) !== 0;
  check.equal(there, completion !== undefined, `${name}: POLLERR, with ${expected} due`);
  if (there) await receivesCompletion(check, socket, completion !== "zerocopied", name);
}

async function receiveShape(
  type: SocketType,
  shape: Shape,
  { vsock, peer, check }: CaseContext,
) {
  using socket = await vsock.accept(type);
  const data = bytes(lengthOf(shape.elements));
  let received = 0;
  while (received < data.length) {
    const read = () => socket.readTimed(data.subarray(received));
    const { result } = await check.succeeds(`${shape.name}: read()`, read);
    if (result === 0) break;
    received += result;
  }
  const sent = await peer.readUlong();
  if (shape.error === undefined) {
    check.equal(received, data.length, `${shape.name}: how much arrived`);
    check.equal(djb2(data), sent, `${shape.name}: the hash of the data`);
  } else {
    check.equal(received, 0, `${shape.name}: how much arrived`);
    check.equal(sent, 0n, `${shape.name}: the peer's hash`);
  }
  await peer.expectln("DONE");
}

function sendsEveryShape(type: SocketType): ConformanceCase {
  const shapes = SHAPES.filter(({ streamOnly }) => type === "stream" || !streamOnly);
  const needs = type === "seqpacket" ? [type] as const : [];
  return defineCase({
    id: `zerocopy/send/${type}-completes`,
    title: `MSG_ZEROCOPY on a ${type} socket sends every memory layout and completes`,
    requirement:
      "send(MSG_ZEROCOPY) MUST transfer the data and then report in the error queue how it was " +
      "sent",
    refs: [
      upstream(
        `SOCK_${type.toUpperCase()} MSG_ZEROCOPY`,
        "waits for an expected completion as long as the peer needs to read, not 100 ms, and " +
          "checks that there is none when none is expected; the hole is mapped without access",
      ),
      man("recv", 2, "MSG_ERRQUEUE"),
      kernel("virtio_transport_send_pkt_info"),
      kernel("vsock_connectible_recvmsg"),
    ],
    needs: [...needs, { client: "zerocopy" }],
    timeFactor: 2,
    does: {
      client: `sends ${shapes.length} memory layouts with MSG_ZEROCOPY, each on its own ${type} ` +
        "connection, and checks that all data is accepted, or ENOMEM if there is a hole, and " +
        "which completion arrives, if one is expected",
      server:
        `accepts ${shapes.length} ${type} connections, reads the data on each, and checks that ` +
        "its hash matches the client's, and that the layout with a hole sends nothing",
    },
    async client(context) {
      for (const shape of shapes) await sendShape(type, shape, context);
    },
    async server(context) {
      for (const shape of shapes) await receiveShape(type, shape, context);
    },
  });
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** On a stream. */
  sendsEveryShape("stream"),
  /** On messages. */
  sendsEveryShape("seqpacket"),
];
