/**
 * A stream through io_uring: sendmsg with and without copying on one side, readv on the other.
 *
 * @module
 */
import {
  type CaseContext,
  type ConformanceCase,
  defineCase,
  djb2,
  kernel,
  man,
  SO_ZEROCOPY,
  SOL_SOCKET,
  upstream,
} from "../../kit/mod.ts";
import { receivesEndThroughRing, receiveThroughRing, sendThroughRing } from "../_shared/uring.ts";
import { type Element, lengthOf, ShapedMemory } from "../_shared/shapes.ts";

const RING_ENTRIES = 4;
/** Upstream's page, whatever this machine's is: both sides must agree on the lengths. */
const PAGE = 4096;

/** The data, one entry per connection. */
const SENDINGS: readonly (readonly Element[])[] = [
  // Whole pages.
  [{ length: PAGE }, { length: 2 * PAGE }, { length: 3 * PAGE }],
  // The middle piece neither starts nor ends at a page boundary.
  [{ length: PAGE }, { length: 200, offset: 1 }, { length: 3 * PAGE }],
];

async function send(zerocopy: boolean, context: CaseContext): Promise<void> {
  const { vsock, peer, check, random } = context;
  for (const elements of SENDINGS) {
    using socket = await vsock.connect("stream");
    if (zerocopy) await check.setsInt(socket, SOL_SOCKET, SO_ZEROCOPY, 1);
    using memory = new ShapedMemory(elements, (length) => random.bytes(length));
    using ring = vsock.ring(RING_ENTRIES);
    ring.registerBuffers(memory.vectors);
    await sendThroughRing(check, ring, socket, memory, zerocopy);
    await peer.writeUlong(djb2(memory.content));
    await peer.writeln("DONE");
  }
}

async function receive({ vsock, peer, check }: CaseContext): Promise<void> {
  for (const elements of SENDINGS) {
    using socket = await vsock.accept("stream");
    using ring = vsock.ring(RING_ENTRIES);
    const data = await receiveThroughRing(check, ring, socket, lengthOf(elements));
    check.equal(djb2(data), await peer.readUlong(), "the hash of what was received");
    await peer.expectln("DONE");
    await receivesEndThroughRing(check, ring, socket);
  }
}

const RECEIVES =
  "accepts twice, receives with IORING_OP_READV what was sent, and checks that the hash matches " +
  "the client's, and that the next IORING_OP_READV returns 0";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Copying. */
  defineCase({
    id: "uring/sendmsg/arrives-whole",
    title: "data sent in pieces with io_uring can be received with io_uring",
    requirement:
      "IORING_OP_SENDMSG with several pieces MUST send them in order and return how much it sent",
    refs: [
      upstream("SOCK_STREAM io_uring test"),
      man("io_uring_enter", 2, "IORING_OP_SENDMSG"),
      kernel("vsock_connectible_sendmsg"),
    ],
    needs: ["io-uring"],
    does: {
      client:
        "connects twice, each time sends three pieces of memory with IORING_OP_SENDMSG, checks " +
        "that a single completion reports how much was sent, and tells the server the hash of " +
        "everything",
      server: RECEIVES,
    },
    client: (context) => send(false, context),
    server: receive,
  }),
  /** Not copying. */
  defineCase({
    id: "uring/sendmsg-zc/arrives-whole-and-notifies",
    title:
      "data sent by io_uring without copying arrives, followed by a notification that its memory " +
      "is free",
    requirement:
      "IORING_OP_SENDMSG_ZC MUST send the pieces in order and notify when their memory is free",
    refs: [
      upstream("SOCK_STREAM io_uring MSG_ZEROCOPY test"),
      man("io_uring_enter", 2, "IORING_OP_SENDMSG_ZC"),
      kernel("virtio_transport_can_zcopy"),
    ],
    needs: [{ client: "zerocopy" }, { client: "sendmsg-zc", server: "io-uring" }],
    does: {
      client: "connects twice with SO_ZEROCOPY, each time sends three pieces of memory with " +
        "IORING_OP_SENDMSG_ZC, checks for a completion with the amount sent, followed by a " +
        "notification, and tells the server the hash of everything",
      server: RECEIVES,
    },
    client: (context) => send(true, context),
    server: receive,
  }),
];
