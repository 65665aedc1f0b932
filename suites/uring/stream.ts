/**
 * A stream through io_uring: sendmsg with and without copying on one side, readv on the other.
 *
 * @module
 */
import {
  type CaseContext,
  defineCase,
  djb2,
  man,
  Pieces,
  receivesEndThroughRing,
  receiveThroughRing,
  requireSendmsgZc,
  requireZerocopy,
  sendThroughRing,
  upstream,
} from "../kit.ts";

const RING_ENTRIES = 4;
/** Upstream's page, whatever this machine's is: both sides must agree on the lengths. */
const PAGE = 4096;

/** The pieces that are sent, a connection each. */
const SENDINGS = [
  // Whole pages.
  [{ length: PAGE }, { length: 2 * PAGE }, { length: 3 * PAGE }],
  // The one in the middle neither begins nor ends with a page.
  [{ length: PAGE }, { length: 200, offset: 1 }, { length: 3 * PAGE }],
];

async function send(zerocopy: boolean, context: CaseContext): Promise<void> {
  const { vsock, peer, check, random } = context;
  for (const shapes of SENDINGS) {
    using socket = await vsock.connect("stream");
    if (zerocopy) await requireZerocopy(check, socket);
    using pieces = new Pieces(shapes, random);
    using ring = vsock.ring(RING_ENTRIES);
    if (zerocopy) requireSendmsgZc(ring);
    ring.registerBuffers(pieces.vectors);
    await sendThroughRing(check, ring, socket, pieces, zerocopy);
    await peer.writeUlong(djb2(pieces.joined()));
    await peer.writeln("DONE");
  }
}

async function receive({ vsock, peer, check }: CaseContext): Promise<void> {
  for (const shapes of SENDINGS) {
    using socket = await vsock.accept("stream");
    using ring = vsock.ring(RING_ENTRIES);
    const length = shapes.reduce((sum, shape) => sum + shape.length, 0);
    const data = await receiveThroughRing(check, ring, socket, length);
    check.equal(djb2(data), await peer.readUlong(), "the hash of what was received");
    await peer.expectln("DONE");
    await receivesEndThroughRing(check, ring, socket);
  }
}

/** Copying. */
export const sendmsgArrives = defineCase({
  id: "uring/sendmsg/arrives-whole",
  title: "what io_uring sends in pieces, io_uring receives",
  requirement: "IORING_OP_SENDMSG of pieces MUST send them in order and say how much it sent",
  refs: [upstream("SOCK_STREAM io_uring test"), man("io_uring_enter", 2, "IORING_OP_SENDMSG")],
  client: (context) => send(false, context),
  server: receive,
});

/** Not copying. */
export const sendmsgZcArrives = defineCase({
  id: "uring/sendmsg-zc/arrives-whole-and-notifies",
  title: "what io_uring sends without copying arrives, and it tells when the memory is free",
  requirement:
    "IORING_OP_SENDMSG_ZC MUST send the pieces in order and notify when their memory is free",
  refs: [
    upstream("SOCK_STREAM io_uring MSG_ZEROCOPY test"),
    man("io_uring_enter", 2, "IORING_OP_SENDMSG_ZC"),
  ],
  client: (context) => send(true, context),
  server: receive,
});
