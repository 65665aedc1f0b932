/**
 * Closing: data sent earlier still arrives, followed by end of file, and nothing can be sent back.
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
  MSG_PEEK,
  POLLIN,
  SO_RCVLOWAT,
  SOL_SOCKET,
  spec,
  upstream,
} from "../../kit/mod.ts";

async function sendAndClose(side: "connect" | "accept", { vsock, check }: CaseContext) {
  using socket = await vsock[side]("stream");
  await check.sendsByte(socket);
}

async function outlivePeer(side: "connect" | "accept", { vsock, check }: CaseContext) {
  using socket = await vsock[side]("stream");
  // A send may still succeed until the close has arrived.
  await vsock.waitRemoteClose(socket);
  await check.fails("EPIPE", "send() after the peer closed", () => socket.send(bytes(1)));
  await check.receivesByte(socket);
  await check.receivesEnd(socket);
}

const SENDS = "sends a byte, and closes";
const OUTLIVES =
  "waits until the other side has closed, checks that send() fails with EPIPE, and receives the " +
  "byte and end of file";

const refs = [
  man("send", 2, "EPIPE"),
  spec("5.10.6.5 Stream Sockets"),
  kernel("virtio_transport_release"),
  kernel("vsock_stream_has_data"),
];

/** Enough that leaked buffers stand out among the machine's others: agent/leak_watch.ts. */
const PACKETS = 200;
/** Above GOOD_COPY_LEN, 128, the kernel gives each packet its own buffer. */
const PACKET = 129;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** The client closes. */
  defineCase({
    id: "stream/close/by-client-keeps-data",
    title: "data sent before the client's close() arrives, followed by end of file",
    requirement:
      "data that a client sent before close() MUST arrive, then end of file; send() MUST fail " +
      "with EPIPE",
    refs: [upstream("SOCK_STREAM client close"), ...refs],
    does: {
      client: `connects, ${SENDS}`,
      server: `accepts, ${OUTLIVES}`,
    },
    client: (context) => sendAndClose("connect", context),
    server: (context) => outlivePeer("accept", context),
  }),
  /** The server closes. */
  defineCase({
    id: "stream/close/by-server-keeps-data",
    title: "data sent before the server's close() arrives, followed by end of file",
    requirement:
      "data that a server sent before close() MUST arrive, then end of file; send() MUST fail " +
      "with EPIPE",
    refs: [upstream("SOCK_STREAM server close"), ...refs],
    does: {
      client: `connects, ${OUTLIVES}`,
      server: `accepts, ${SENDS}`,
    },
    client: (context) => outlivePeer("connect", context),
    server: (context) => sendAndClose("accept", context),
  }),
  /** Unread data is freed with the socket: a leak shows in the kernel's counts. */
  defineCase({
    id: "stream/unread/close-leaves-nothing",
    title: "a socket closed with unread data leaves nothing behind",
    requirement: "close() MUST free unread data and notify the peer",
    refs: [man("close", 2, "DESCRIPTION"), kernel("virtio_transport_remove_sock")],
    does: {
      client:
        `connects, sends ${PACKETS} pieces of ${PACKET} bytes, and waits until the server has closed`,
      server:
        "accepts, sets SO_RCVLOWAT to the total, waits until everything has arrived, peeks at " +
        "the beginning, checks that it is what the client sent, and closes without reading any " +
        "of it",
    },
    async client({ vsock, check, random }) {
      using socket = await vsock.connect("stream");
      const data = random.bytes(PACKETS * PACKET);
      for (let offset = 0; offset < data.length; offset += PACKET) {
        await check.sends(socket, data.subarray(offset, offset + PACKET));
      }
      await vsock.waitRemoteClose(socket);
    },
    async server({ vsock, check, random }) {
      using socket = await vsock.accept("stream");
      const data = random.bytes(PACKETS * PACKET);
      await check.setsInt(socket, SOL_SOCKET, SO_RCVLOWAT, data.length);
      const revents = await check.succeeds("poll()", () => socket.poll(POLLIN));
      check.flag(revents, POLLIN, "POLLIN when all is there");
      const seen = await check.receives(socket, PACKET, MSG_PEEK);
      check.sameBytes(seen, data.subarray(0, PACKET), "the unread data");
      await check.succeeds("close()", () => socket.close());
    },
  }),
];
