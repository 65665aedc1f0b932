/**
 * Credit that comes back: as the receiver reads, and how much of a send it admits.
 *
 * @module
 */
import {
  acceptWith,
  AF_VSOCK,
  bytes,
  type ConformanceCase,
  defineCase,
  fillAgain,
  fillWindow,
  kernel,
  MSG_DONTWAIT,
  type Random,
  readToEnd,
  SHUT_WR,
  SO_VM_SOCKETS_BUFFER_SIZE,
  spec,
  WINDOW,
} from "../../kit/mod.ts";

const refs = [spec("5.10.6.3 Buffer Space Management")];
/**
 * Credit is given back packet by packet, each when its last byte was read. These fit into any
 * buffer on the way, so that none is split.
 */
const PACKET = 1000;
const ROUNDS = 8;

/** How many packets a window holds, below 64 KiB: there every recv() tells the sender of it. */
function drawnPackets(random: Random): number {
  return 2 + random.below(63);
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineCase({
    id: "flow/credit/exactly-what-was-read",
    title: "a full window takes exactly as many packets more as were read of it",
    requirement: "what the receiver has read MUST be what the sender can send more, to the packet",
    refs: [
      ...refs,
      kernel("virtio_transport_dec_rx_pkt"),
      kernel("virtio_transport_stream_dequeue"),
    ],
    needs: ["known-place"],
    does: {
      client:
        "connects, fills a window of a drawn size below 64 KiB with packets of 1000 bytes, and " +
        "checks, 8 times, that exactly as many more fit as the server has read",
      server:
        "listens with a buffer of that size, accepts, and reads a drawn number of packets, 8 " +
        "times",
    },
    async client(context) {
      const { vsock, peer, check, random } = context;
      using socket = await vsock.connect("stream");
      const packets = drawnPackets(random);
      const fitted = await fillWindow(context, socket, PACKET);
      check.equal(fitted, packets * PACKET, "what fits into the window");
      for (let round = 0; round < ROUNDS; round++) {
        const part = PACKET * (1 + random.below(packets));
        await peer.writeln("FULL");
        await peer.expectln("READ");
        const more = await fillAgain(context, socket, part, PACKET);
        check.equal(more, part, "what fits when a part was read");
        check.equal(await fillWindow(context, socket, PACKET), 0, "what fits after that");
      }
      await peer.writeln("DONE");
    },
    async server(context) {
      const { peer, check, random } = context;
      const packets = drawnPackets(random);
      const size = BigInt(packets * PACKET);
      using socket = await acceptWith(
        context,
        "stream",
        (listener) => listener.setU64(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, size),
      );
      for (let round = 0; round < ROUNDS; round++) {
        const part = PACKET * (1 + random.below(packets));
        await peer.expectln("FULL");
        await check.receives(socket, part);
        await peer.writeln("READ");
      }
      await peer.expectln("DONE");
    },
  }),
  defineCase({
    id: "flow/credit/vectored-send-takes-what-fits",
    title: "a vectored send that does not block takes exactly what fits",
    requirement: "sendmsg(MSG_DONTWAIT) MUST return how much of its buffers it took, to the byte",
    refs: [...refs, kernel("virtio_transport_send_pkt_info")],
    needs: ["known-place"],
    does: {
      client: "connects, sends 50001 bytes, then 300000 in four odd buffers without blocking, " +
        "checks that 212143 were taken, and sends the rest when the server reads",
      server: "accepts, reads when the client has tried, and checks that all bytes are right",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect("stream");
      const data = random.bytes(350_001);
      await check.sends(socket, data.subarray(0, 50_001));
      const ends = [50_001, 50_002, 177_001, 260_003, 350_001];
      const pieces = ends.slice(1).map((end, i) => data.subarray(ends[i], end));
      const send = () => socket.sendmsg(pieces, MSG_DONTWAIT);
      const taken = await check.succeeds("sendmsg(MSG_DONTWAIT)", send);
      check.equal(taken, WINDOW - 50_001, "what sendmsg(MSG_DONTWAIT) took of 300000 bytes");
      await peer.writeln("TRIED");
      await check.sends(socket, data.subarray(50_001 + taken));
      socket.shutdown(SHUT_WR);
      await peer.expectln("DONE");
    },
    async server(context) {
      const { vsock, peer, check, random } = context;
      using socket = await vsock.accept("stream");
      const expected = random.bytes(350_001);
      await peer.expectln("TRIED");
      const data = await readToEnd(context, socket, expected.length);
      check.sameBytes(data, expected, "what was received");
      await peer.writeln("DONE");
    },
  }),
  defineCase({
    id: "flow/credit/send-larger-than-buffer",
    title: "a send ten times as large as the peer's buffer goes on as that is read",
    requirement:
      "send() of more than the peer's buffer MUST go on as the peer reads, without a stall",
    refs: [...refs, kernel("virtio_transport_inc_rx_pkt")],
    needs: ["known-place"],
    does: {
      client: "connects, and checks that one send() takes 10240 bytes, in at most 5 s",
      server: "listens with a buffer of 1024 bytes, accepts, and checks that all bytes come",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect("stream");
      const data = random.bytes(10_240);
      const started = performance.now();
      const taken = await check.succeeds("send(10240)", () => socket.send(data));
      const time = performance.now() - started;
      check.equal(taken, data.length, "what one send() took");
      check.that(time < check.patience, `send() took ${Math.round(time)} ms`);
      await peer.expectln("DONE");
    },
    async server(context) {
      const { peer, check, random } = context;
      using socket = await acceptWith(
        context,
        "stream",
        (listener) => listener.setU64(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, 1024n),
      );
      const expected = random.bytes(10_240);
      const data = await check.receives(socket, expected.length);
      check.sameBytes(data, expected, "what was received");
      await peer.writeln("DONE");
    },
  }),
  defineCase({
    id: "flow/credit/whole-window-at-once",
    title: "one send as large as the window is taken at once",
    requirement: "send(MSG_DONTWAIT) of as much as the window holds MUST take all of it",
    refs: [...refs, kernel("virtio_transport_send_pkt_info")],
    needs: ["known-place"],
    does: {
      client: "connects, and checks that send(MSG_DONTWAIT) takes 262144 bytes, then is EAGAIN",
      server: "accepts, and checks that all bytes come",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect("stream");
      const data = random.bytes(WINDOW);
      const send = () => socket.send(data, MSG_DONTWAIT);
      check.equal(await check.succeeds("send(MSG_DONTWAIT)", send), WINDOW, "what it took");
      await check.fails(
        "EAGAIN",
        "the next send(MSG_DONTWAIT)",
        () => socket.send(bytes(1), MSG_DONTWAIT),
      );
      await peer.writeln("SENT");
      await peer.expectln("DONE");
    },
    async server({ vsock, peer, check, random }) {
      using socket = await vsock.accept("stream");
      const expected = random.bytes(WINDOW);
      await peer.expectln("SENT");
      check.sameBytes(await check.receives(socket, WINDOW), expected, "what was received");
      await peer.writeln("DONE");
    },
  }),
];
