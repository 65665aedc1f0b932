/**
 * Guests that break the rules of the queues or of all else: the host goes on, and serves others.
 *
 * @module
 */
import { type ConformanceCase, kernel, type Random, spec } from "../../kit/mod.ts";
import {
  defineWireCase,
  DESC_INDIRECT,
  DESC_NEXT,
  DESC_WRITE,
  type WireCase,
  type WireGuest,
} from "../../kit/wire.ts";

const FRAMING = spec("5.10.6.4 Receive and Transmit");
const refs = [FRAMING, kernel("vhost_vsock_handle_tx_kick")];

/** A descriptor of the last index, which a guest that sends little has not used. */
const LAST = 127;
/** Where a guest has no memory. */
const NOWHERE = 1n << 40n;

/** Does something to a guest's queues after which another guest must be served. */
function breaks(act: (guest: WireGuest) => void): WireCase["raw"] {
  return async ({ guest, another }) => {
    await guest.settle();
    act(guest);
    using other = another();
    await other.settle();
  };
}

/** What is written as a descriptor of the TX queue. */
const DESCRIPTORS = {
  "chain-without-end": {
    what: "a descriptor that leads to itself",
    descriptor: { address: 0n, length: 44, flags: DESC_NEXT, next: LAST },
  },
  "next-beyond-table": {
    what: "a descriptor that leads to the 65535th of 128",
    descriptor: { address: 0n, length: 44, flags: DESC_NEXT, next: 0xffff },
  },
  "address-nowhere": {
    what: "a buffer where the guest has no memory",
    descriptor: { address: NOWHERE, length: 44, flags: 0, next: 0 },
  },
  "length-of-4-gib": {
    what: "a buffer of 4 GiB less one byte",
    descriptor: { address: 0n, length: 0xffff_ffff, flags: 0, next: 0 },
  },
  "indirect-of-odd-length": {
    what: "an indirect table of 17 bytes that was not negotiated",
    descriptor: { address: 0n, length: 17, flags: DESC_INDIRECT, next: 0 },
  },
} as const;

const descriptors = Object.entries(DESCRIPTORS).map(([claim, { what, descriptor }]) =>
  defineWireCase({
    id: `wire/hostile/${claim}`,
    title: `a guest that offers ${what} harms no other`,
    requirement: "a host MUST withstand any descriptor of a guest, and serve others",
    refs,
    does: `offers ${what} in the TX queue of a raw guest, and checks that another guest is served`,
    raw: breaks((guest) => guest.raw.queues.offerDescriptor("tx", LAST, descriptor)),
  })
);

/** Values at which something changes. */
const EDGES = [0, 1, 2, 3, 43, 44, 45, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

function edge(random: Random): number {
  return EDGES[random.below(EDGES.length)] ?? 0;
}

/** How many random packets are sent, so many at a time. */
const PACKETS = 400;
const AT_ONCE = 40;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...descriptors,
  defineWireCase({
    id: "wire/hostile/index-runs-away",
    title: "a guest that says that it offers more than its queue holds harms no other",
    requirement: "a host MUST withstand any index of a guest's available ring, and serve others",
    refs,
    does:
      "moves the index of the available ring of a raw guest on by 1000 in a queue of 128, and " +
      "checks that another guest is served",
    raw: breaks((guest) => guest.raw.queues.runAway(1000)),
  }),
  defineWireCase({
    id: "wire/hostile/buffers-to-read",
    title: "a guest that offers buffers to receive into that cannot be written harms no other",
    requirement: "a host MUST withstand a buffer of the RX queue that it cannot write",
    refs,
    guest: { receiveBuffers: 0 },
    does:
      "offers a buffer to be read in the RX queue of a raw guest and asks for a reply, and checks " +
      "that another guest is served",
    async raw({ guest, another }) {
      guest.raw.queues.offerDescriptor("rx", LAST, {
        address: 0n,
        length: 4096,
        flags: 0,
        next: 0,
      });
      guest.line().sends("REQUEST");
      using other = another();
      other.raw.queues.offerBuffers(8);
      await other.settle();
    },
  }),
  defineWireCase({
    id: "wire/hostile/buffers-too-short",
    title: "a guest that offers buffers too short for a header harms no other",
    requirement: "a host MUST withstand a buffer of the RX queue that has no room for a header",
    refs,
    guest: { receiveBuffers: 0 },
    does:
      "offers a buffer of 43 bytes in the RX queue of a raw guest and asks for a reply, and checks " +
      "that another guest is served",
    async raw({ guest, another }) {
      const short = { address: 0x8000n, length: 43, flags: DESC_WRITE, next: 0 };
      guest.raw.queues.offerDescriptor("rx", LAST, short);
      guest.line().sends("REQUEST");
      using other = another();
      other.raw.queues.offerBuffers(8);
      await other.settle();
    },
  }),
  defineWireCase({
    id: "wire/hostile/random-packets",
    title: "a guest that sends random packets is served all the same, as is another",
    requirement: "a host MUST withstand any packets of a guest, and serve the good ones",
    refs,
    does:
      "sends 400 packets of random fields from a raw guest to a listener and around it, again with " +
      "--seed, and checks that a good packet of it is answered, and one of another guest",
    async raw({ guest, peer, check, random, another }) {
      await peer.expectln("LISTENING");
      guest.ignoresOthers = true;
      const { queues } = guest.raw;
      for (let i = 0; i < PACKETS; i++) {
        const line = guest.line("stream", guest.port + random.below(3), 1 + random.below(6));
        line.sends(random.below(10), {
          ...{ type: random.below(4), flags: random.below(5), bufAlloc: edge(random) },
          ...{ fwdCnt: edge(random), data: random.below(200) },
          ...(random.below(4) === 0 ? { len: edge(random) } : {}),
          ...(random.below(16) === 0 ? { srcCid: BigInt(edge(random)) } : {}),
        });
        line.forget();
        if (i % AT_ONCE !== 0) continue;
        while (await queues.receive(0) !== undefined);
        const deadline = performance.now() + check.patience;
        while (queues.room < AT_ONCE && performance.now() < deadline) await queues.receive(1);
      }
      await guest.settle();
      using other = another();
      await other.settle();
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer }) {
      vsock.listening("stream", 3);
      vsock.listening("seqpacket", 3, vsock.localAddress(vsock.localAddress().port + 1));
      await peer.writeln("LISTENING");
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/hostile/half-open",
    title: "a guest that asks for 500 connections and ends leaves nothing",
    requirement: "a host MUST withstand connections that are asked for and not used",
    refs,
    does:
      "sends 500 REQUESTs from a raw guest to a listener of backlog 400, closes the guest without " +
      "a word, and checks that another guest is served",
    async raw({ guest, peer, check, another }) {
      await peer.expectln("LISTENING");
      const { queues } = guest.raw;
      guest.ignoresOthers = true;
      for (let i = 0; i < 500; i++) {
        const line = guest.line();
        line.sends("REQUEST");
        line.forget();
        const deadline = performance.now() + check.patience;
        while (queues.room < AT_ONCE && performance.now() < deadline) await queues.receive(1);
      }
      await guest.settle();
      guest[Symbol.dispose]();
      using other = another();
      await other.settle();
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer }) {
      vsock.listening("stream", 400);
      await peer.writeln("LISTENING");
      await peer.expectln("DONE");
    },
  }),
];
