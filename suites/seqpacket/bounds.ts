/**
 * Message boundaries and the end of a record.
 *
 * @module
 */
import {
  AF_VSOCK,
  bytes,
  type CaseContext,
  type ConformanceCase,
  defineCase,
  djb2,
  kernel,
  man,
  MSG_EOR,
  pageSize,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  type Socket,
  spec,
  upstream,
} from "../../kit/mod.ts";

const BUFFER_SIZE = 2 * 1024 * 1024;
const MAX_PAGES = 4;

async function enlargeBuffer(socket: Socket, check: CaseContext["check"]) {
  for (const option of [SO_VM_SOCKETS_BUFFER_MAX_SIZE, SO_VM_SOCKETS_BUFFER_SIZE]) {
    await check.setsU64(socket, AF_VSOCK, option, BigInt(BUFFER_SIZE));
  }
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /**
   * Small and large messages alternately, some of which end a record. Both sides add up the hashes
   * of the messages and the number of MSG_EOR: equal sums mean that data and boundaries match.
   */
  defineCase({
    id: "seqpacket/bounds/kept-with-eor",
    title: "messages keep their boundaries, their data, and MSG_EOR",
    requirement:
      "each message MUST arrive complete and by itself, with MSG_EOR if it was sent with it",
    refs: [
      upstream("SOCK_SEQPACKET msg bounds", "checks that small and large messages alternate"),
      spec("5.10.6.6 Seqpacket Sockets"),
      man("recvmsg", 2, "MSG_EOR"),
      kernel("virtio_transport_seqpacket_dequeue"),
    ],
    needs: ["seqpacket"],
    does: {
      client:
        "connects, sets a buffer of 2 MiB, sends messages of up to one page and of one to four " +
        "pages alternately, about half with MSG_EOR, and tells the server the sum of their " +
        "hashes and MSG_EORs",
      server:
        "accepts, sets a buffer of 2 MiB, receives messages until end of file once all have been " +
        "sent, and checks that small and large ones alternate and that the sum matches the " +
        "client's",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect("seqpacket");
      await enlargeBuffer(socket, check);
      await peer.expectln("SRVREADY");
      const page = pageSize();
      const maxSize = MAX_PAGES * page;
      const count = Math.floor(BUFFER_SIZE / maxSize);
      let sum = 0n;
      for (let i = 0; i < count; i++) {
        const size = i % 2 === 1 ? page + random.below(maxSize - page) : 1 + random.below(page);
        const message = bytes(size).fill(random.below(256));
        // At least one message ends a record, and about half of them do.
        const ends = i === Math.floor(count / 2) || random.below(2) === 1;
        await check.sends(socket, message, ends ? MSG_EOR : 0);
        sum += djb2(message) + (ends ? 1n : 0n);
      }
      await peer.writeln("SENDDONE");
      await peer.writeUlong(sum);
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept("seqpacket");
      await enlargeBuffer(socket, check);
      await peer.writeln("SRVREADY");
      await peer.expectln("SENDDONE");
      const page = pageSize();
      const buffer = bytes(MAX_PAGES * page);
      let sum = 0n;
      let misplaced = 0;
      for (let i = 0;; i++) {
        const received = await check.succeeds("recvmsg()", () => socket.recvmsg([buffer]));
        if (received.length === 0) break;
        // The sum does not depend on the order, but small and large messages alternate.
        if (i % 2 === 1 ? received.length < page : received.length > page) misplaced++;
        sum += djb2(buffer.subarray(0, received.length)) + (received.flags & MSG_EOR ? 1n : 0n);
      }
      const sent = await peer.readUlong();
      check.equal(BigInt.asUintN(64, sum), sent, "the sum over the messages received");
      check.equal(misplaced, 0, "how many messages came out of turn");
    },
  }),
];
