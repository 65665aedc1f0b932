/**
 * Connections that live long: more bytes than 32 bits count, and a direction that is quiet.
 *
 * @module
 */
import {
  AF_VSOCK,
  type Bytes,
  bytes,
  type CaseContext,
  type ConformanceCase,
  defineCase,
  isSame,
  kernel,
  MSG_WAITALL,
  type Role,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  type Socket,
  spec,
  timedSleep,
} from "../../kit/mod.ts";

const refs = [
  spec("5.10.6.3 Buffer Space Management"),
  kernel("virtio_transport_get_credit"),
];
const BUFFER = 8 * 1024 * 1024;
const PIECE = 2 * 1024 * 1024;
/** More than 4 GiB: the counters of virtio's header have 32 bits. */
const PIECES = 2 ** 32 / PIECE + 8;

/** A large buffer, so that few calls move much. */
function enlarge(socket: Socket) {
  socket.setU64(AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE, BigInt(BUFFER));
  socket.setU64(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, BigInt(BUFFER));
}

/** A piece that tells its place, so that one that is lost or comes twice is seen. */
function numberedPiece(block: Bytes, i: number): Bytes {
  new DataView(block.buffer).setUint32(0, i);
  return block;
}

async function sendPieces({ check, random }: CaseContext, socket: Socket) {
  const block = random.bytes(PIECE);
  for (let i = 0; i < PIECES; i++) await check.sends(socket, numberedPiece(block, i));
}

async function receivePieces({ check, random }: CaseContext, socket: Socket) {
  const block = random.bytes(PIECE);
  const into = bytes(PIECE);
  for (let i = 0; i < PIECES; i++) {
    const receive = () => socket.recv(into, MSG_WAITALL);
    const count = await check.succeeds(`piece ${i}`, receive);
    const isRight = count === PIECE && isSame(into, numberedPiece(block, i));
    if (!isRight) {
      check.equal(count, PIECE, `the length of piece ${i}`);
      check.sameBytes(into, block, `piece ${i}, from byte ${i * PIECE} on`);
      throw check.stop("what comes behind is not looked at");
    }
  }
}

function beyondFourGib(sender: Role) {
  const isClient = sender === "client";
  const [sends, receives] = [
    "sends 4 GiB + 16 MiB in pieces of 2 MiB",
    "receives them, and checks that each piece is right",
  ];
  return defineCase({
    id: `flow/long/more-than-4-gib-from-${sender}`,
    title: `more than 4 GiB go through one connection, from the ${sender}`,
    requirement: "the counters of credit MUST wrap around without harm after 4 GiB",
    refs,
    slow: true,
    timeFactor: 6,
    needs: ["known-place"],
    does: {
      client: `connects, sets its buffer to 8 MiB, and ${isClient ? sends : receives}`,
      server: `accepts, sets its buffer to 8 MiB, and ${isClient ? receives : sends}`,
    },
    async client(context) {
      using socket = await context.vsock.connect("stream");
      enlarge(socket);
      await (isClient ? sendPieces : receivePieces)(context, socket);
      await context.peer.writeln("DONE");
      await context.peer.expectln("DONE");
    },
    async server(context) {
      using socket = await context.vsock.accept("stream");
      enlarge(socket);
      await (isClient ? receivePieces : sendPieces)(context, socket);
      await context.peer.writeln("DONE");
      await context.peer.expectln("DONE");
    },
  });
}

const SECONDS = 70;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  beyondFourGib("client"),
  beyondFourGib("server"),
  defineCase({
    id: "flow/long/quiet-direction",
    title: "a direction that is quiet for 70 s still works",
    requirement: "a connection MUST stay, however long one of its directions carries nothing",
    refs: [spec("5.10.6.5 Stream Sockets"), kernel("virtio_transport_recv_pkt")],
    slow: true,
    timeFactor: 2,
    does: {
      client:
        "connects, receives a byte each second for 70 s without sending, then sends 1000 bytes",
      server:
        "accepts, sends a byte each second for 70 s, and checks that the 1000 bytes come then",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect("stream");
      for (let i = 0; i < SECONDS; i++) await check.receivesByte(socket);
      await check.sends(socket, random.bytes(1000));
      await peer.expectln("DONE");
    },
    async server({ vsock, peer, check, random }) {
      using socket = await vsock.accept("stream");
      for (let i = 0; i < SECONDS; i++) {
        await check.sendsByte(socket);
        await timedSleep(1000);
      }
      const data = await check.receives(socket, 1000);
      check.sameBytes(data, random.bytes(1000), "what came after the quiet");
      await peer.writeln("DONE");
    },
  }),
];
