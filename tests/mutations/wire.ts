/**
 * Mutations of the wire: what is wrong with the packets between a raw guest and the kernel, as if
 * the kernel had sent other ones, or had taken them otherwise.
 *
 * @module
 */
import { OP, SEQ_EOM } from "../../wire/packet.ts";
import { errsWith, pollNeverWakes, type Row } from "./mutation.ts";
import { AllowsAll, answersAll, flipped, sends, takes, vhost, wire } from "./wire_faults.ts";

/** RST is no RST. */
const noRst = sends("RST", { op: OP.RESPONSE });
const NO_RST = /expected RST, got RESPONSE/;
const ANSWERED = /expected nothing, got RST|RST answers RST/;

/** Cases in which RST must come. */
const RESETS = [
  ...["response", "shutdown", "rw", "credit-update", "credit-request", "unknown-op"].map((op) =>
    `refusal/${op}-unconnected`
  ),
  ...["refusal/nobody-listens", "refusal/rw-to-listener", "refusal/unknown-type-to-nobody"],
  ...["refusal/unknown-type-to-listener", "refusal/seqpacket-to-stream-listener"],
  ...["refusal/stream-to-seqpacket-listener", "refusal/seqpacket-not-negotiated"],
  ...["addresses/short-header", "addresses/buffer-to-write", "connection/data-of-other-type"],
  ...["request", "rw", "credit-update", "credit-request", "shutdown"].map((op) =>
    `connection/answered-by-${op}`
  ),
  ...["connection/late-response", "credit/overrun", "shutdown/guest-shuts-both"],
  ...["chain-without-end", "next-beyond-table", "address-nowhere", "length-of-4-gib"].map((claim) =>
    `hostile/${claim}`
  ),
  ...["indirect-of-odd-length", "index-runs-away", "buffers-to-read", "buffers-too-short"].map(
    (claim) => `hostile/${claim}`,
  ),
  ...["hostile/random-packets", "hostile/half-open"],
  ...["shutdown/bits-accumulate", "queue/receives-while-it-cannot-send", "queue/without-calls"],
];

/** Cases in which nothing must come. */
const SILENT = [
  ...["foreign-source", "hosts-source", "foreign-destination", "local-destination"].map((claim) =>
    `addresses/${claim}`
  ),
  ...["addresses/any-destination", "addresses/upper-bits-of-source"],
  ...["addresses/upper-bits-of-destination", "refusal/rst-is-not-answered"],
  ...["request", "response", "invalid", "unknown-op", "shutdown-of-nothing"].map((what) =>
    `connection/survives-${what}`
  ),
  ...["connection/refused", "connection/reset", "shutdown/data-first"],
];

/** Cases in which bytes that the kernel sends must be the right ones. */
const BYTES_OUT = [
  ...["receive-header-alone", "receive-within-header", "receive-byte-by-byte"].map((claim) =>
    `layout/${claim}`
  ),
  ...["layout/small-receive-buffers", "credit/bytes-on-the-wire", "queue/sends-when-buffers-come"],
  "queue/many-connections",
];

/** Cases in which bytes that the kernel takes must be the right ones. */
const BYTES_IN = [
  ...["header-alone", "within-header", "behind-header", "byte-by-byte", "empty-buffers"],
  ...["indirect", "largest-packet"],
];

const refused = errsWith("connect", ["EHOSTUNREACH", "ETIMEDOUT"], "ECONNREFUSED");

/** Mutations of `wire/`. */
export const mutations: readonly Row[] = [
  ...RESETS.map((id) => wire(id, "host does not send RST", noRst, NO_RST)),
  ...SILENT.map((id) => wire(id, "host answers everything with RST", answersAll, ANSWERED)),
  ...BYTES_OUT.map((id) =>
    wire(id, "host flips a bit of what it sends", sends("RW", flipped), /byte \d+ is/)
  ),
  ...BYTES_IN.map((claim) =>
    wire(`layout/${claim}`, "host flips a bit of what it takes", takes("RW", flipped), /came: byte/)
  ),
  wire(
    "addresses/len-beyond-buffer",
    "host takes what there is",
    takes("RW", ({ data }) => ({ len: data.length })),
    /expected 3|bytes came/,
  ),
  wire(
    "addresses/len-short-of-buffer",
    "host takes all of a buffer",
    takes("RW", ({ data }) => ({ len: data.length })),
    /bytes came, expected 5|fwd_cnt is more/,
  ),
  ...["stream", "seqpacket"].flatMap((type) => [
    wire(
      `connection/guest-connects-${type}`,
      "host tells no room in RESPONSE",
      sends("RESPONSE", { bufAlloc: 0 }),
      /bufAlloc: expected 262144, got 0/,
    ),
    wire(
      `connection/host-connects-${type}`,
      "host tells of bytes that it has not got",
      sends("REQUEST", { fwdCnt: 5 }),
      /fwdCnt: expected 0, got 5/,
    ),
  ]),
  wire("connection/backlog", "host's queue has no end", noRst, /the ops that answer/),
  wire(
    "credit/request-is-answered",
    "host counts bytes that it has not got",
    sends("CREDIT_UPDATE", { fwdCnt: 9 }),
    /fwd_cnt is more than the 0 bytes sent/,
  ),
  wire(
    "credit/unread-is-not-forwarded",
    "host counts what nobody has read",
    sends("CREDIT_UPDATE", { fwdCnt: 100 }),
    /fwd_cnt is 100 after 30/,
  ),
  wire(
    "credit/every-packet-tells",
    "host tells of nothing that was read",
    sends("RW", { fwdCnt: 0 }),
    /fwdCnt: expected 10, got 0/,
  ),
  wire(
    "credit/buffer-size-is-told",
    "host tells the usual room",
    sends("RESPONSE", { bufAlloc: 262_144 }),
    /bufAlloc: expected 5000, got 262144/,
  ),
  ...[0, 1, 1000, 5000].map((room) =>
    wire(
      `credit/window-of-${room}`,
      "host takes a window for a larger one",
      takes("REQUEST", { bufAlloc: room + 100 }),
      /bytes that send\(\) took: expected/,
    )
  ),
  wire(
    "credit/window-shrinks",
    "host does not mind a smaller window",
    takes("CREDIT_UPDATE", { bufAlloc: 1000 }),
    /took with buf_alloc 400 and fwd_cnt 600: expected 0, got 600/,
  ),
  wire(
    "credit/impossible-forward",
    "host takes a fwd_cnt for room",
    takes("CREDIT_UPDATE", ({ fwdCnt }) => ({ fwdCnt: 0, bufAlloc: fwdCnt + 1000 })),
    /send\(\) took 6000 bytes of a window of 1000/,
  ),
  wire(
    "credit/update-when-read",
    "host tells of more than it has got",
    sends("CREDIT_UPDATE", { fwdCnt: 262_145 }),
    /fwd_cnt is more than/,
  ),
  ...["write", "read", "both"].map((name) =>
    wire(
      `shutdown/host-shuts-${name}`,
      "host shuts down another side",
      sends("SHUTDOWN", ({ flags }) => ({ flags: flags === 2 ? 1 : 2 })),
      /flags: expected \d, got \d/,
    )
  ),
  wire(
    "shutdown/host-shuts-one-by-one",
    "host shuts down the same side twice",
    sends("SHUTDOWN", { flags: 2 }),
    /flags of the second SHUTDOWN/,
  ),
  wire(
    "shutdown/close-asks-and-is-answered",
    "host's close() ends one side alone",
    sends("SHUTDOWN", { flags: 2 }),
    /flags: expected 3, got 2/,
  ),
  wire(
    "shutdown/close-unanswered",
    "host waits for no answer",
    () => ({
      received: (packet) =>
        packet.op === OP.SHUTDOWN ? [packet, { ...packet, op: OP.RST, flags: 0 }] : [packet],
    }),
    /RST came after 0\.\d s/,
  ),
  wire(
    "shutdown/guest-sends-no-more",
    "host takes the end of one side for that of both",
    takes("SHUTDOWN", { flags: 3 }),
    /expected RW, got RST|EPIPE/,
  ),
  wire(
    "shutdown/guest-receives-no-more",
    "host takes the end of one side for that of the other",
    takes("SHUTDOWN", { flags: 2 }),
    /expected EPIPE, but it returned/,
  ),
  ...["eom", "eor"].map((flag) =>
    wire(
      `message/${flag}-on-last-fragment`,
      "host ends a message with each packet",
      sends("RW", { flags: SEQ_EOM }),
      /flags: expected 0, got 1/,
    )
  ),
  wire(
    "message/each-ends",
    "host ends no message",
    sends("RW", { flags: 0 }),
    /flags: expected 1, got 0/,
  ),
  wire(
    "message/fragments-are-joined",
    "host takes each packet for a message",
    takes("RW", { flags: SEQ_EOM }),
    /the lengths of two messages/,
  ),
  wire(
    "message/eor-is-told",
    "host forgets EOR",
    takes("RW", ({ flags }) => ({ flags: flags & SEQ_EOM })),
    /MSG_EOR in msg_flags of 3 messages/,
  ),
  wire(
    "message/part-is-none",
    "host takes a part for a message",
    takes("RW", { flags: SEQ_EOM }),
    /expected EAGAIN, but it returned 3/,
  ),
  [
    "wire/message/poll-waits-for-end",
    "client",
    "poll() never wakes",
    pollNeverWakes,
    /poll\(\) of a message: expected 1, got 0/,
  ],
  wire(
    "message/larger-than-room",
    "host ends a message with each packet",
    sends("RW", { flags: SEQ_EOM }),
    /flags: expected 0, got 1/,
  ),
  wire(
    "message/larger-than-buffer",
    "host takes a window for a larger one",
    takes("REQUEST", { bufAlloc: 5000 }),
    /expected EMSGSIZE, but it returned 3001/,
  ),
  vhost("device/reserved-cids", "device takes any CID", AllowsAll, /expected EINVAL/),
  vhost("device/cid-is-one-guests", "device takes any CID", AllowsAll, /expected EADDRINUSE/),
  vhost("device/features", "device takes any feature", AllowsAll, /expected EOPNOTSUPP/),
  vhost("device/runs-only-when-set-up", "device always runs", AllowsAll, /start without an owner/),
  [
    "wire/device/seqpacket-not-negotiated",
    "client",
    "connect() is refused otherwise",
    errsWith("connect", "ESOCKTNOSUPPORT", "ECONNRESET"),
    /expected ESOCKTNOSUPPORT, got/,
  ],
  [
    "wire/device/not-running",
    "client",
    "connect() is refused otherwise",
    refused,
    /expected EHOSTUNREACH or ETIMEDOUT, got/,
  ],
  [
    "wire/device/vmm-ends",
    "client",
    "recv() fails otherwise",
    errsWith("recv", "ECONNRESET", "ENOTCONN"),
    /expected ECONNRESET, got/,
  ],
];
