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

/** What is sent, a connection each. */
const SENDINGS: readonly (readonly Element[])[] = [
  // Whole pages.
  [{ length: PAGE }, { length: 2 * PAGE }, { length: 3 * PAGE }],
  // The one in the middle neither begins nor ends with a page.
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
  "accepts twice, receives with IORING_OP_READV what was sent, and claims that its hash is the " +
  "client's, and that the next IORING_OP_READV gives 0";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Copying. */
  defineCase({
    id: "uring/sendmsg/arrives-whole",
    title: "what io_uring sends in pieces, io_uring receives",
    requirement: "IORING_OP_SENDMSG of pieces MUST send them in order and say how much it sent",
    refs: [
      upstream("SOCK_STREAM io_uring test"),
      man("io_uring_enter", 2, "IORING_OP_SENDMSG"),
      kernel("vsock_connectible_sendmsg"),
    ],
    needs: ["io-uring"],
    does: {
      client:
        "connects twice, each time sends three pieces of memory with IORING_OP_SENDMSG, claims " +
        "that one completion says how much it took, and tells the hash of all",
      server: RECEIVES,
    },
    client: (context) => send(false, context),
    server: receive,
  }),
  /** Not copying. */
  defineCase({
    id: "uring/sendmsg-zc/arrives-whole-and-notifies",
    title: "what io_uring sends without copying arrives, and it tells when the memory is free",
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
        "IORING_OP_SENDMSG_ZC, claims a completion that says how much it took and a notification " +
        "behind it, and tells the hash of all",
      server: RECEIVES,
    },
    client: (context) => send(true, context),
    server: receive,
  }),
];
