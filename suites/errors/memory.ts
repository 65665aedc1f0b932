/**
 * Data in memory that is not there, at each place of an iovec.
 *
 * @module
 */
import {
  type Bytes,
  bytes,
  type ConformanceCase,
  connecting,
  defineCase,
  errorOfBlocking,
  forBothTypes,
  kernel,
  man,
  MSG_DONTWAIT,
  MSG_PEEK,
  type RawMemory,
  type SocketType,
} from "../../kit/mod.ts";
import { HoledMemory } from "../_shared/holed_memory.ts";

/** How long each of three elements is, in bytes, and how long a message of all three. */
const PART = 100;
const WHOLE = 3 * PART;
/** Places of what is not there among three elements. */
const PLACES = [0, 1, 2];
/** Larger than a packet that is appended to another (128 bytes), in bytes. */
const PACKET = 1000;

/** Three elements, of which one is not there; the others are parts of `data`. */
function withHole(memory: HoledMemory, data: Bytes, place: number): (Bytes | RawMemory)[] {
  return PLACES.map((i) =>
    i === place ? memory.hole(PART) : data.subarray(i * PART, (i + 1) * PART)
  );
}

/** What is left of a message whose first reading was EFAULT: all of a stream, none of a message. */
function afterFault(type: SocketType): string {
  return type === "stream" ? "all the data is still there" : "the next message is whole";
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...forBothTypes((type) =>
    defineCase({
      id: `errors/memory/${type}-send`,
      title: `a ${type} socket sends nothing of what is partly not there`,
      requirement:
        "sendmsg() MUST fail with EFAULT where an element of its iovec is not there, and send nothing",
      refs: [man("send", 2, "EFAULT"), kernel("virtio_transport_send_pkt_info")],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket, checks that sendmsg() of three elements fails with EFAULT where the ` +
          "first, the second or the third is not there, and sends a message after each",
        server: "accepts, and checks that just those three messages arrive",
      },
      async client({ vsock, check, random }) {
        using memory = new HoledMemory();
        using socket = await vsock.connect(type);
        for (const place of PLACES) {
          const send = () => socket.sendmsg(withHole(memory, bytes(WHOLE), place));
          await check.fails("EFAULT", `sendmsg() without element ${place}`, send);
          await check.sends(socket, random.bytes(WHOLE));
        }
      },
      async server({ vsock, check, random }) {
        using socket = await vsock.accept(type);
        for (const place of PLACES) {
          const data = await check.receives(socket, WHOLE);
          check.sameBytes(data, random.bytes(WHOLE), `what follows the fault at element ${place}`);
        }
        await check.receivesEnd(socket);
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `errors/memory/${type}-receive`,
      title: `a ${type} socket that is to store where nothing is: ${afterFault(type)}`,
      requirement:
        "recvmsg() MUST fail with EFAULT where an element of its iovec is not there, and cost a stream " +
        "nothing, and messages no more than one",
      refs: [man("recv", 2, "EFAULT"), kernel("vsock_connectible_recvmsg")],
      needs: connecting(type),
      does: {
        client:
          `connects a ${type} socket, and sends two messages of 300 bytes when it is asked to`,
        server:
          "accepts, and checks that recvmsg() of 300 bytes into three elements fails with EFAULT where one " +
          `is not there, and that then ${afterFault(type)}`,
      },
      async client({ vsock, peer, check, random }) {
        using socket = await vsock.connect(type);
        for (const _ of PLACES) {
          await peer.expectln("SEND");
          for (let i = 0; i < 2; i++) await check.sends(socket, random.bytes(WHOLE));
          await peer.writeln("SENT");
        }
        await check.receivesEnd(socket);
      },
      async server({ vsock, peer, check, random }) {
        using memory = new HoledMemory();
        using socket = await vsock.accept(type);
        for (const place of PLACES) {
          const [first, second] = [random.bytes(WHOLE), random.bytes(WHOLE)];
          await peer.writeln("SEND");
          await peer.expectln("SENT");
          const seen = await check.receives(
            socket,
            type === "stream" ? 2 * WHOLE : WHOLE,
            MSG_PEEK,
          );
          check.sameBytes(seen.subarray(0, WHOLE), first, "what can be seen before");
          const receive = () => socket.recvmsg(withHole(memory, bytes(WHOLE), place));
          await check.fails("EFAULT", `recvmsg() without element ${place}`, receive);
          for (const data of type === "stream" ? [first, second] : [second]) {
            const got = await check.receives(socket, WHOLE);
            check.sameBytes(got, data, `what follows the fault at element ${place}`);
          }
        }
      },
    })
  ),
  ...forBothTypes((type) =>
    defineCase({
      id: `errors/memory/${type}-peek`,
      title: `MSG_PEEK where nothing is leaves all of a ${type} connection's data`,
      requirement:
        "recvmsg(MSG_PEEK) MUST fail with EFAULT for what is not there, and leave the data",
      refs: [man("recv", 2, "EFAULT"), kernel("vsock_connectible_recvmsg")],
      needs: connecting(type),
      does: {
        client: `connects a ${type} socket, and sends 300 bytes`,
        server:
          "accepts, checks that recvmsg(MSG_PEEK) into three elements fails with EFAULT where the first, the " +
          "second or the third is not there, and receives the 300 bytes",
      },
      async client({ vsock, check, random }) {
        using socket = await vsock.connect(type);
        await check.sends(socket, random.bytes(WHOLE));
        await check.receivesEnd(socket);
      },
      async server({ vsock, check, random }) {
        using memory = new HoledMemory();
        using socket = await vsock.accept(type);
        await socket.poll();
        for (const place of PLACES) {
          const peek = () => socket.recvmsg(withHole(memory, bytes(WHOLE), place), MSG_PEEK);
          await check.fails("EFAULT", `recvmsg(MSG_PEEK) without element ${place}`, peek);
        }
        const data = await check.receives(socket, WHOLE);
        check.sameBytes(data, random.bytes(WHOLE), "the data afterwards");
      },
    })
  ),
  defineCase({
    id: "errors/memory/stream-receive-part",
    title: "recv() gives the packets that it could store before it came to a hole",
    requirement:
      "recvmsg() SHOULD give the count of whole packets stored where it faults behind them, and leave " +
      "the rest",
    refs: [man("recv", 2, "RETURN VALUE"), kernel("virtio_transport_stream_dequeue")],
    does: {
      client: "connects a stream socket, and sends 1000 bytes twice",
      server:
        "accepts, checks that recvmsg() into 1000 bytes and a hole of 1000 is 1000, and receives the " +
        "second 1000 bytes",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect("stream");
      for (let i = 0; i < 2; i++) await check.sends(socket, random.bytes(PACKET));
      await peer.writeln("SENT");
      await check.receivesEnd(socket);
    },
    async server({ vsock, peer, check, random }) {
      using memory = new HoledMemory();
      using socket = await vsock.accept("stream");
      await peer.expectln("SENT");
      await check.receives(socket, 2 * PACKET, MSG_PEEK);
      const into = bytes(PACKET);
      const receive = () => socket.recvmsg([into, memory.hole(PACKET)]);
      const { length } = await check.succeeds("recvmsg() into 1000 bytes and a hole", receive);
      check.equal(length, PACKET, "what recvmsg() gives in front of a hole");
      check.sameBytes(into, random.bytes(PACKET), "the first packet");
      const rest = await check.receives(socket, PACKET);
      check.sameBytes(rest, random.bytes(PACKET), "the second packet");
    },
  }),
  defineCase({
    id: "errors/memory/stream-send-part",
    title: "send() up to a hole says how much it sent, and that much arrives",
    requirement:
      "what a send() of memory with a hole far behind says that it took MUST arrive, and no more",
    refs: [man("send", 2, "RETURN VALUE"), kernel("virtio_transport_send_pkt_info")],
    does: {
      client:
        "connects a stream socket, sends 70000 bytes and a hole of 100, tells how much send() took " +
        "(0 where it failed), and sends a byte",
      server: "accepts, and checks that just as much arrives, then the byte and the end",
    },
    async client({ vsock, peer, check, random }) {
      using memory = new HoledMemory();
      using socket = await vsock.connect("stream");
      let taken = 0;
      const code = await errorOfBlocking(async () => {
        taken = await socket.sendmsg([random.bytes(70_000), memory.hole(PART)], MSG_DONTWAIT);
      });
      const isExpected = code === undefined || code === "EFAULT" || code === "ENOMEM";
      check.that(isExpected, `sendmsg(): got ${code}`);
      check.that(taken <= 70_000, `sendmsg() took ${taken} bytes of 70000`);
      await peer.writeUlong(taken);
      await check.sendsByte(socket);
    },
    async server({ vsock, peer, check, random }) {
      using socket = await vsock.accept("stream");
      const taken = await peer.readCount(70_000);
      const data = await check.receives(socket, taken);
      check.sameBytes(data, random.bytes(70_000).subarray(0, taken), "what send() took");
      await check.receivesByte(socket);
      await check.receivesEnd(socket);
    },
  }),
];
