/**
 * What the virtio specification says of the socket device, sentence by sentence and in our words,
 * and which cases check it. Here and nowhere else; tools/specification.ts makes
 * docs/specification.md of it.
 *
 * @module
 */

/** Whom a sentence binds. */
export type Bound = "device" | "driver" | "both";

/** How much: a word of RFC 2119 where the sentence is a normative one, else "says". */
export type Force = "MUST" | "MUST NOT" | "SHOULD" | "MAY" | "says";

/**
 * A sentence: its section, whom it binds and how much, what it says, the cases that check it of the
 * kernel as selectors separated by spaces, and what they leave out and why.
 */
export type Row = readonly [
  section: string,
  bound: Bound,
  force: Force,
  what: string,
  cases: string,
  left?: string,
];

/** The kernel is the guest, and its device has to be played. */
const DRIVER = "not yet: needs a raw device, opposite a guest's driver";
/** Half of it is checked. */
const HALF = "of a driver: not yet, needs a raw device";

// One row a line, so that two branches that each change some rows can be merged.
// deno-fmt-ignore
/** The sentences, in the order of the specification. */
export const SENTENCES: readonly Row[] = [
  ["2.7.4", "device", "MUST NOT", "depend on how a packet is cut into descriptors", "wire/layout/header-alone wire/layout/within-header wire/layout/behind-header wire/layout/byte-by-byte wire/layout/empty-buffers wire/layout/receive-*"],
  ["2.7.5.3", "device", "MUST", "read indirect descriptors where they were negotiated", "wire/layout/indirect"],
  ["2.7.7", "device", "says", "buffers are used whether or not the driver wants notifications", "wire/queue/without-calls"],
  ["5.10.3", "driver", "SHOULD", "accept NO_IMPLIED_STREAM if it is offered", "", DRIVER],
  ["5.10.3", "driver", "SHOULD", "act as if STREAM had been negotiated where no feature was", "", DRIVER],
  ["5.10.3", "driver", "MAY", "act as if STREAM had been negotiated where SEQPACKET was, and NO_IMPLIED_STREAM was not", "", DRIVER],
  ["5.10.3", "device", "SHOULD", "offer NO_IMPLIED_STREAM", "", "no case: Linux does not offer it (K-8), and a case would say the same of every kernel"],
  ["5.10.3", "device", "SHOULD", "act as if STREAM had been negotiated where no feature was", "wire/device/seqpacket-not-negotiated wire/refusal/seqpacket-not-negotiated"],
  ["5.10.3", "device", "MAY", "act as if STREAM had been negotiated where SEQPACKET was, and NO_IMPLIED_STREAM was not", "wire/connection/guest-connects-stream", "that it may: Linux does"],
  ["5.10.4", "device", "says", "the upper 32 bits of guest_cid are 0", "wire/device/reserved-cids"],
  ["5.10.4", "device", "says", "guest_cid names the device as long as it lives", "wire/device/cid-is-one-guests"],
  ["5.10.6", "both", "says", "the upper 32 bits of src_cid and dst_cid are 0", "wire/addresses/upper-bits-*", HALF],
  ["5.10.6", "both", "says", "len is the size of the payload", "wire/addresses/len-beyond-buffer wire/addresses/short-header wire/layout/largest-packet", HALF],
  ["5.10.6", "device", "says", "of buffers that are longer than len says the first len bytes are data", "wire/addresses/len-short-of-buffer"],
  ["5.10.6.1", "driver", "MUST", "process the RX queue even when the TX queue is full, while there is other room for its packets", "", DRIVER],
  ["5.10.6.1", "device", "MUST", "process the TX queue even when the RX queue is full, while there is other room for its packets", "wire/queue/receives-while-it-cannot-send", "that it stops when that room is used up: how much there is, is the device's to say"],
  ["5.10.6.1", "device", "says", "what waits for buffers is sent when there are some", "wire/queue/sends-when-buffers-come"],
  ["5.10.6.2", "both", "says", "a flow is a pair of addresses, each a CID and a port", "wire/queue/many-connections wire/addresses/foreign-* wire/addresses/hosts-source wire/addresses/local-destination wire/addresses/any-destination", HALF],
  ["5.10.6.2", "both", "says", "type tells stream and seqpacket sockets apart", "wire/refusal/seqpacket-to-stream-listener wire/refusal/stream-to-seqpacket-listener wire/connection/data-of-other-type", HALF],
  ["5.10.6.2", "both", "says", "data is delivered in order, and all of it", "wire/credit/bytes-on-the-wire wire/layout/small-receive-buffers flow/data"],
  ["5.10.6.3", "driver", "MUST", "send RW only when the peer has room for its payload", "", DRIVER],
  ["5.10.6.3", "device", "MUST", "send RW only when the peer has room for its payload", "wire/credit/window-of-* wire/credit/window-shrinks wire/credit/impossible-forward wire/credit/bytes-on-the-wire wire/message/larger-than-room wire/message/larger-than-buffer", "and in every case by a rule over packets"],
  ["5.10.6.3", "driver", "MUST", "have valid buf_alloc and fwd_cnt in all packets of a stream", "", DRIVER],
  ["5.10.6.3", "device", "MUST", "have valid buf_alloc and fwd_cnt in all packets of a stream", "wire/credit/every-packet-tells wire/credit/buffer-size-is-told wire/credit/unread-is-not-forwarded wire/connection/guest-connects-*", "and in every case by a rule over packets"],
  ["5.10.6.3", "both", "says", "CREDIT_REQUEST is answered with CREDIT_UPDATE", "wire/credit/request-is-answered", HALF],
  ["5.10.6.3", "both", "says", "CREDIT_UPDATE may come without having been asked for", "wire/credit/window-of-* wire/credit/update-when-read", HALF],
  ["5.10.6.3", "both", "says", "data is never dropped", "messages/small/two-thousand-unread wire/credit/overrun"],
  ["5.10.6.4", "driver", "MUST", "use guest_cid as the source of what it sends", "", DRIVER],
  ["5.10.6.4", "driver", "MUST", "answer a packet of an unknown type with RST", "", DRIVER],
  ["5.10.6.4", "device", "MUST NOT", "have a reserved CID in guest_cid", "wire/device/reserved-cids"],
  ["5.10.6.4", "device", "MUST", "answer a packet of an unknown type with RST", "wire/refusal/unknown-type-*"],
  ["5.10.6.4", "both", "says", "buffers of outgoing packets are read-only, those of incoming ones write-only", "wire/addresses/buffer-to-write", HALF],
  ["5.10.6.5", "both", "says", "REQUEST is answered with RESPONSE where a socket listens", "wire/connection/guest-connects-* wire/connection/host-connects-*", HALF],
  ["5.10.6.5", "both", "says", "REQUEST is answered with RST where none listens, or resources do not suffice", "wire/refusal/nobody-listens wire/refusal/seqpacket-not-negotiated wire/connection/backlog", HALF],
  ["5.10.6.5", "both", "says", "SHUTDOWN says with bit 0 that its sender receives no more, with bit 1 that it sends no more", "wire/shutdown/host-shuts-* wire/shutdown/guest-sends-no-more wire/shutdown/guest-receives-no-more", HALF],
  ["5.10.6.5", "both", "says", "what SHUTDOWN said stays said", "wire/shutdown/bits-accumulate wire/shutdown/host-shuts-one-by-one wire/connection/survives-shutdown-of-nothing", HALF],
  ["5.10.6.5", "both", "says", "RST ends connecting, or a connection", "wire/connection/refused wire/connection/reset wire/connection/answered-by-* wire/connection/late-response", HALF],
  ["5.10.6.5", "both", "says", "a clean end is SHUTDOWN of both sides, answered with RST", "wire/shutdown/close-asks-and-is-answered wire/shutdown/guest-shuts-both wire/shutdown/data-first", HALF],
  ["5.10.6.5", "both", "says", "without that answer RST is sent after a time", "wire/shutdown/close-unanswered", HALF],
  ["5.10.6.6.1", "both", "says", "a message may be cut into several RW", "wire/message/fragments-are-joined wire/message/part-is-none wire/message/poll-waits-for-end", HALF],
  ["5.10.6.6.1", "both", "says", "the last RW of a message, and no other, has EOM", "wire/message/eom-on-last-fragment wire/message/each-ends wire/message/larger-than-room", HALF],
  ["5.10.6.6.1", "both", "says", "the last RW of a record has EOR, and the receiver gets MSG_EOR", "wire/message/eor-on-last-fragment wire/message/eor-is-told", HALF],
  ["5.10.6.7", "driver", "SHOULD", "replenish the event queue quickly", "", DRIVER],
  ["5.10.6.7", "driver", "MUST", "read guest_cid again after TRANSPORT_RESET", "", DRIVER],
  ["5.10.6.7", "driver", "MUST", "shut down its connections after TRANSPORT_RESET", "", DRIVER],
  ["5.10.6.7", "driver", "MUST", "go on listening, with the new CID, after TRANSPORT_RESET", "", DRIVER],
];
