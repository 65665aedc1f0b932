/**
 * The packets that a stream consists of, which must be invisible to its user.
 *
 * @module
 */
import {
  AF_VSOCK,
  bytes,
  type ConformanceCase,
  defineCase,
  djb2,
  kernel,
  man,
  MSG_DONTWAIT,
  POLLIN,
  SO_RCVLOWAT,
  SO_VM_SOCKETS_BUFFER_SIZE,
  SOL_SOCKET,
  spec,
  SysError,
  upstream,
} from "../../kit/mod.ts";

const FIRST = new TextEncoder().encode("HELLO");
const SECOND = new TextEncoder().encode("WORLD");
/** How much of the first packet is read before the second arrives. */
const PART = 2;
const ROOM = 64;

/** Above GOOD_COPY_LEN, 128, the kernel gives each packet its own memory. */
const SMALLEST = 129;
const LARGEST = 512;
const TOTAL = 2 * 1024 * 1024;
/**
 * The receiver's buffer: so many small packets fit into it that their overhead, more than 512 bytes
 * each, would not. The usual 256 KiB would behave the same, but take longer.
 */
const BUFFER = 64 * 1024;
/** A sender that sends only whole packets may leave less room than one needs. */
const FULL = BUFFER - LARGEST;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** The kernel may append the second packet to the first, which has been partly read. */
  defineCase({
    id: "stream/packets/joined-after-partial-read",
    title: "a packet appended to a partly read one arrives once and complete",
    requirement: "data appended to a partly read packet MUST arrive once and in order",
    refs: [
      upstream("SOCK_STREAM virtio skb merge"),
      spec("5.10.6.5 Stream Sockets"),
      kernel("virtio_transport_recv_pkt"),
    ],
    does: {
      client: "connects, sends HELLO, and sends WORLD once the server has read part of it",
      server:
        "accepts, receives 2 bytes of HELLO, receives the other 8 once WORLD has been sent, and " +
        "checks that recv() then fails with EAGAIN and that the data is HELLOWORLD",
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect("stream");
      await check.sends(socket, FIRST);
      await peer.writeln("SEND0");
      await peer.expectln("REPLY0");
      await check.sends(socket, SECOND);
      await peer.writeln("SEND1");
      await peer.expectln("REPLY1");
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      const whole = new TextEncoder().encode("HELLOWORLD");
      await peer.expectln("SEND0");
      const part = await check.receives(socket, PART);
      await peer.writeln("REPLY0");
      await peer.expectln("SEND1");
      const rest = await check.receives(socket, whole.length - PART);
      const receiveMore = () => socket.recv(bytes(ROOM - whole.length), MSG_DONTWAIT);
      await check.fails("EAGAIN", "recv() after the last byte", receiveMore);
      check.sameBytes(part, whole.subarray(0, PART), "the part read first");
      check.sameBytes(rest, whole.subarray(PART), "the rest");
      await peer.writeln("REPLY1");
    },
  }),
  /** Many small packets, faster than they are read: each costs the receiver more than its data. */
  defineCase({
    id: "stream/packets/small-ones-keep-connection",
    title: "2 MiB in packets of 129 to 512 bytes arrive",
    requirement: "many small packets MUST NOT be lost or reset the connection, however slow it is",
    refs: [
      upstream(
        "SOCK_STREAM small packets backpressure",
        "sends on the calling thread and waits only when the peer's buffer is full; the " +
          "receiver, whose buffer is 64 KiB, starts to read only then, since a receiver that keeps " +
          "up is under no pressure",
      ),
      man("send", 2, "DESCRIPTION"),
      kernel("virtio_transport_collapse_rx_queue"),
    ],
    timeFactor: 2,
    does: {
      client:
        "connects, sends 2 MiB of random data in pieces of 129 to 512 bytes, waits only when a " +
        "piece is not accepted at once, and tells the server the data's hash",
      server:
        "accepts with a buffer of 64 KiB, waits until it is full, receives 2 MiB, and checks " +
        "that the hash matches the client's",
    },
    async client({ vsock, peer, check, random }) {
      const data = random.bytes(TOTAL);
      using socket = await vsock.connect("stream");
      for (let offset = 0; offset < TOTAL;) {
        const size = SMALLEST + random.below(LARGEST - SMALLEST + 1);
        const packet = data.subarray(offset, offset + size);
        offset += packet.length;
        let sent = 0;
        try {
          sent = socket.sendHere(packet);
        } catch (error) {
          if (!(error instanceof SysError)) throw error;
          if (error.code !== "EAGAIN") throw check.stop(`after ${offset} bytes: ${error.message}`);
        }
        if (sent < packet.length) await check.sends(socket, packet.subarray(sent));
      }
      await peer.writeUlong(djb2(data));
    },
    async server({ vsock, peer, check }) {
      using listener = vsock.listening("stream");
      await check.setsU64(listener, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, BigInt(BUFFER));
      await peer.writeln("LISTENING");
      const { socket: accepted } = await listener.accept();
      using socket = accepted;
      await check.setsInt(socket, SOL_SOCKET, SO_RCVLOWAT, FULL);
      const revents = await check.succeeds("poll()", () => socket.poll(POLLIN));
      check.flag(revents, POLLIN, "POLLIN when the buffer is full");
      await check.setsInt(socket, SOL_SOCKET, SO_RCVLOWAT, 1);
      const received = djb2(await check.receives(socket, TOTAL));
      check.equal(received, await peer.readUlong(), "the hash of the data");
    },
  }),
];
