/**
 * Credit: how much a sender may send, given the buffer space that the receiver announces.
 *
 * @module
 */
import {
  AF_VSOCK,
  bytes,
  type CaseContext,
  type ConformanceCase,
  defineCase,
  kernel,
  MSG_DONTWAIT,
  MSG_PEEK,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLRDHUP,
  POLLRDNORM,
  SO_RCVLOWAT,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  type Socket,
  SOL_SOCKET,
  spec,
  timedSleep,
  upstream,
} from "../../kit/mod.ts";

const BUFFER = 128 * 1024;
/** VIRTIO_VSOCK_MAX_PKT_BUF_SIZE: reading less than that from a large buffer sends no credit. */
const LARGEST_PACKET = 64 * 1024;
/** How long what was sent too much may take to arrive, in milliseconds. */
const QUIET_TIME = 200;

/** Sends one byte more than fits into the peer's buffer: the call returns when credit arrives. */
async function sendMoreThanFits({ vsock, check }: CaseContext) {
  using socket = await vsock.connect("stream");
  // The byte follows the packet that announces the buffer's size.
  await check.receivesByte(socket);
  const sent = await check.succeeds("send()", () => socket.send(bytes(BUFFER + 1)));
  check.equal(sent, BUFFER + 1, "how much one send() took");
}

/**
 * Fills its buffer, reads half of it, and waits for the byte that the sender could not yet send.
 *
 * @param lowWater when SO_RCVLOWAT is set. Before the data arrives: reading must send credit. After
 * reading, to one more than is left then: setting it must send credit.
 */
async function makeRoom(lowWater: "before" | "after", { vsock, check }: CaseContext) {
  using socket = await vsock.accept("stream");
  const setLowWater = () => check.setsInt(socket, SOL_SOCKET, SO_RCVLOWAT, LARGEST_PACKET + 1);
  await check.setsU64(socket, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, BigInt(BUFFER));
  if (lowWater === "before") await setLowWater();
  await check.sendsByte(socket);
  // There is room for more, which a sender that respects the buffer's size cannot have sent: not
  // now, and not a little later.
  await check.receives(socket, BUFFER, MSG_PEEK, BUFFER + 1);
  await timedSleep(QUIET_TIME);
  await check.receives(socket, BUFFER, MSG_PEEK, BUFFER + 1);
  await check.receives(socket, LARGEST_PACKET);
  if (lowWater === "after") await setLowWater();
  const readable = POLLIN | POLLRDNORM;
  const events = readable | POLLERR | POLLRDHUP | POLLHUP;
  const revents = await check.succeeds("poll()", () => socket.poll(events, check.patience));
  check.equal(revents & POLLERR, 0, "POLLERR in the revents");
  check.flag(revents, readable, "POLLIN or POLLRDNORM in the revents");
  await check.receivesAtOnce(socket, BUFFER + 1 - LARGEST_PACKET, MSG_DONTWAIT);
}

const MORE = "connects, receives a byte, and checks that one send() takes 128 KiB + 1 byte";
const FILLS = "sets its buffer to 128 KiB, sends a byte, peeks at 128 KiB and no more";
const REST = "checks that poll() sees the rest, which one recv() returns";

const refs = [spec("5.10.6.3 Buffer Space Management")];

const SMALL = 64 * 1024;
const LARGE = 2 * 1024 * 1024;
const PIECE = 4096;

async function setBuffer(socket: Socket, size: number, { check }: CaseContext) {
  for (const option of [SO_VM_SOCKETS_BUFFER_MAX_SIZE, SO_VM_SOCKETS_BUFFER_SIZE]) {
    await check.setsU64(socket, AF_VSOCK, option, BigInt(size));
  }
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Raising the low-water mark above the amount of data in the buffer. */
  defineCase({
    id: "stream/credit/update-on-rcvlowat",
    title: "raising SO_RCVLOWAT sends a credit update, so that poll() can be satisfied",
    requirement:
      "a receiver that raises SO_RCVLOWAT MUST announce its free space to the peer, or it starves",
    refs: [
      upstream(
        "SOCK_STREAM virtio credit update + SO_RCVLOWAT",
        "checks that no more arrives than fits into the buffer, and that one recv() returns " +
          "everything that poll() waited for",
      ),
      kernel("virtio_transport_notify_set_rcvlowat"),
      ...refs,
    ],
    does: {
      client: MORE,
      server: `accepts, ${FILLS}, reads 64 KiB, sets SO_RCVLOWAT to 64 KiB + 1, and ${REST}`,
    },
    client: sendMoreThanFits,
    server: (context) => makeRoom("after", context),
  }),
  /** Reading until the amount of data is below the low-water mark. */
  defineCase({
    id: "stream/credit/update-below-rcvlowat",
    title: "reading below SO_RCVLOWAT sends a credit update, so that poll() can be satisfied",
    requirement:
      "a receiver left with less than SO_RCVLOWAT MUST announce its free space to the peer",
    refs: [
      upstream(
        "SOCK_STREAM virtio credit update + low rx_bytes",
        "checks that no more arrives than fits into the buffer, and that one recv() returns " +
          "everything that poll() waited for, one byte more than upstream receives",
      ),
      kernel("virtio_transport_stream_dequeue"),
      ...refs,
    ],
    does: {
      client: MORE,
      server: `accepts, sets SO_RCVLOWAT to 64 KiB + 1, ${FILLS}, reads 64 KiB, and ${REST}`,
    },
    client: sendMoreThanFits,
    server: (context) => makeRoom("before", context),
  }),
  /** The peer offers much; the sender's own buffer is small. */
  defineCase({
    id: "stream/credit/bound-by-own-buffer",
    title: "a sender queues no more than its own buffer size, however much the peer offers",
    requirement: "unread data MUST NOT exceed the sender's own SO_VM_SOCKETS_BUFFER_SIZE",
    refs: [
      upstream("SOCK_STREAM TX credit bounds"),
      kernel("virtio_transport_stream_has_space"),
      ...refs,
    ],
    does: {
      client:
        "connects, sets its own buffer to 64 KiB, sends pieces of 4 KiB without blocking until " +
        "EAGAIN, and checks that some were accepted, but no more than 64 KiB",
      server:
        "accepts, sets its buffer to 2 MiB, reads nothing, and closes when the client is done",
    },
    async client(context) {
      const { vsock, peer, check } = context;
      using socket = await vsock.connect("stream");
      await setBuffer(socket, SMALL, context);
      socket.setNonblocking();
      await peer.expectln("SRVREADY");
      let total = 0;
      const sendOn = async () => {
        // Twice the limit is enough to see that there is none.
        while (total <= 2 * SMALL) total += await socket.send(bytes(PIECE));
        return total;
      };
      await check.fails("EAGAIN", "send() to a peer that does not read", sendOn);
      check.that(total > 0, "send() took nothing");
      check.that(total <= SMALL, `${total} bytes were queued, expected at most ${SMALL}`);
      await peer.writeln("CLIDONE");
      await vsock.waitRemoteClose(socket);
    },
    async server(context) {
      const { vsock, peer } = context;
      using socket = await vsock.accept("stream");
      await setBuffer(socket, LARGE, context);
      await peer.writeln("SRVREADY");
      await peer.expectln("CLIDONE");
    },
  }),
];
