/**
 * Messages: where they end on the wire.
 *
 * @module
 */
import {
  bytes,
  type ConformanceCase,
  kernel,
  man,
  MSG_DONTWAIT,
  MSG_EOR,
  POLLIN,
  spec,
} from "../../kit/mod.ts";
import { defineWireCase, type RawSide, SEQ_EOM, SEQ_EOR } from "../../kit/wire.ts";

const BOUNDARIES = spec("5.10.6.6.1 Message and record boundaries");
const BOTH = SEQ_EOM | SEQ_EOR;

/** Data in a guest's buffer of 4096 bytes, behind the header. */
const FRAGMENT = 4096 - 44;

/** Sends a message in two packets; the second when the host's side has tried to receive it. */
async function sendsInTwoParts({ guest, peer }: RawSide): Promise<void> {
  const line = await guest.connect("seqpacket");
  line.sends("RW", { data: 3 });
  await guest.settle();
  await peer.writeln("PART");
  await peer.expectln("TRIED");
  line.sends("RW", { data: 2, flags: SEQ_EOM });
  await peer.expectln("DONE");
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...[0, MSG_EOR].map((flag) => {
    const flags = flag === 0 ? SEQ_EOM : BOTH;
    const what = flag === 0 ? "a message" : "a record";
    return defineWireCase({
      id: `wire/message/${flag === 0 ? "eom" : "eor"}-on-last-fragment`,
      title: `the last packet of ${what} alone says that it ends`,
      requirement: `the last RW of ${what} MUST have flags ${flags}, and those before it 0`,
      refs: [BOUNDARIES, kernel("virtio_transport_seqpacket_enqueue")],
      does:
        `connects a raw guest, has the host send 10,000 bytes as ${what}, and checks that RW of ` +
        `4052, 4052 and 1896 bytes come with flags 0, 0 and ${flags}`,
      async raw({ guest, peer }) {
        const line = await guest.connect("seqpacket");
        await line.gets("RW", { len: FRAGMENT, flags: 0 });
        await line.gets("RW", { len: FRAGMENT, flags: 0 });
        await line.gets("RW", { len: 10_000 - 2 * FRAGMENT, flags });
        await peer.writeln("DONE");
      },
      async socket({ vsock, peer, check }) {
        using socket = await vsock.accept("seqpacket");
        await check.sends(socket, bytes(10_000), flag);
        await peer.expectln("DONE");
      },
    });
  }),
  defineWireCase({
    id: "wire/message/each-ends",
    title: "each message ends with a packet of its own",
    requirement:
      "the last RW of each message MUST have the flag EOM, and messages MUST NOT be joined",
    refs: [BOUNDARIES, kernel("virtio_transport_seqpacket_enqueue")],
    does:
      "connects a raw guest, has the host send messages of 1, 100 and 4052 bytes, the second with " +
      "MSG_EOR, and checks that RW of these lengths come with flags 1, 3 and 1",
    async raw({ guest, peer }) {
      const line = await guest.connect("seqpacket");
      await line.gets("RW", { len: 1, flags: SEQ_EOM });
      await line.gets("RW", { len: 100, flags: BOTH });
      await line.gets("RW", { len: FRAGMENT, flags: SEQ_EOM });
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("seqpacket");
      await check.sends(socket, bytes(1));
      await check.sends(socket, bytes(100), MSG_EOR);
      await check.sends(socket, bytes(FRAGMENT));
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/message/fragments-are-joined",
    title: "packets up to the one that says EOM are one message",
    requirement: "a receiver MUST join RW up to the one that has the flag EOM, and no more",
    refs: [BOUNDARIES, kernel("virtio_transport_seqpacket_dequeue")],
    does:
      "connects a raw guest, sends RW of 3, 4 and 5 bytes of which the second and the third have " +
      "EOM, and checks that recv() of the host gives messages of 7 and 5 bytes",
    async raw({ guest, peer }) {
      const line = await guest.connect("seqpacket");
      line.sends("RW", { data: bytes(3).fill(1) });
      line.sends("RW", { data: bytes(4).fill(2), flags: SEQ_EOM });
      line.sends("RW", { data: bytes(5).fill(3), flags: SEQ_EOM });
      await guest.settle();
      await peer.writeln("READ");
      await peer.expectln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("seqpacket");
      await peer.expectln("READ");
      const room = bytes(100);
      const lengths = [await socket.recv(room), await socket.recv(room.subarray(50))];
      check.equal(lengths, [7, 5], "the lengths of two messages");
      const data = Uint8Array.of(...room.subarray(0, 7), ...room.subarray(50, 55));
      check.sameBytes(data, Uint8Array.of(1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3), "their bytes");
      await peer.writeln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/message/eor-is-told",
    title: "MSG_EOR is set for the message that ends a record, and for no other",
    requirement: "a receiver MUST set MSG_EOR in the message whose last RW has the flag EOR",
    refs: [BOUNDARIES, kernel("virtio_transport_seqpacket_dequeue")],
    does:
      "connects a raw guest, sends messages with flags 1, 3 and 1, the second in two packets, and " +
      "checks that recvmsg() of the host sets MSG_EOR for the second alone",
    async raw({ guest, peer }) {
      const line = await guest.connect("seqpacket");
      line.sends("RW", { data: 3, flags: SEQ_EOM });
      line.sends("RW", { data: 3 });
      line.sends("RW", { data: 3, flags: BOTH });
      line.sends("RW", { data: 3, flags: SEQ_EOM });
      await peer.expectln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("seqpacket");
      const flags: number[] = [];
      for (let i = 0; i < 3; i++) {
        const receive = () => socket.recvmsg([bytes(100)]);
        flags.push((await check.succeeds("recvmsg()", receive)).flags & MSG_EOR);
      }
      check.equal(flags, [0, MSG_EOR, 0], "MSG_EOR in msg_flags of 3 messages");
      await peer.writeln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/message/part-is-none",
    title: "a message whose end has not come cannot be received",
    requirement: "recv() MUST NOT give a part of a message whose end has not come",
    refs: [BOUNDARIES, kernel("virtio_transport_seqpacket_dequeue")],
    does:
      "connects a raw guest, sends RW of 3 bytes without EOM, and checks that recv(MSG_DONTWAIT) of " +
      "the host fails with EAGAIN, and gives 5 bytes after RW of 2 bytes with EOM",
    raw: sendsInTwoParts,
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("seqpacket");
      await peer.expectln("PART");
      const receive = () => socket.recv(bytes(100), MSG_DONTWAIT);
      await check.fails("EAGAIN", "recv() of a part of a message", receive);
      await peer.writeln("TRIED");
      await check.receives(socket, 5, 0, 100);
      await peer.writeln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/message/poll-waits-for-end",
    title: "poll() does not announce a message whose end has not come",
    requirement: "poll() SHOULD NOT report POLLIN where recv() would wait",
    refs: [BOUNDARIES, kernel("virtio_transport_notify_poll_in")],
    does:
      "connects a raw guest, sends RW of 3 bytes without EOM, and checks that poll() of the host " +
      "reports no POLLIN, and does after RW of 2 bytes with EOM",
    raw: sendsInTwoParts,
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("seqpacket");
      await peer.expectln("PART");
      check.equal(await socket.poll(POLLIN, 0), 0, "poll() of a part of a message");
      await peer.writeln("TRIED");
      check.equal(await socket.poll(POLLIN, check.patience), POLLIN, "poll() of a message");
      await peer.writeln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/message/larger-than-room",
    title: "a message for which there is not enough room yet is sent in parts",
    requirement: "a sender MUST send a message within the credit, in several packets where it must",
    refs: [
      BOUNDARIES,
      spec("5.10.6.3 Buffer Space Management"),
      kernel("virtio_transport_seqpacket_enqueue"),
    ],
    does:
      "connects a raw guest with buf_alloc 3000, has the host send messages of 2000 and 2500 bytes, " +
      "and checks that 1000 of the second come before credit for the rest, and EOM with its last",
    async raw({ guest, peer }) {
      const line = await guest.connect("seqpacket", { bufAlloc: 3000 });
      line.fwdCnt = 0;
      await line.gets("RW", { len: 2000, flags: SEQ_EOM });
      await line.gets("RW", { len: 1000 });
      await line.getsNothing(["CREDIT_REQUEST"]);
      line.fwdCnt = 2000;
      line.sends("CREDIT_UPDATE");
      await line.gets("RW", { len: 1500, flags: SEQ_EOM });
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("seqpacket");
      await check.sends(socket, bytes(2000));
      await check.sends(socket, bytes(2500));
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/message/larger-than-buffer",
    title: "a message that the peer could never hold is refused",
    requirement: "send() of a message of more than the peer's buf_alloc MUST fail and send nothing",
    refs: [BOUNDARIES, man("send", 2, "EMSGSIZE"), kernel("virtio_transport_seqpacket_enqueue")],
    does:
      "connects a raw guest with buf_alloc 3000, and checks that send() of 3001 bytes by the host " +
      "fails with EMSGSIZE, that nothing comes, and that a message of 3000 bytes does",
    async raw({ guest, peer }) {
      const line = await guest.connect("seqpacket", { bufAlloc: 3000 });
      await peer.expectln("REFUSED");
      await line.getsNothing();
      await peer.writeln("SEND");
      await line.gets("RW", { len: 3000, flags: SEQ_EOM });
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("seqpacket");
      await check.fails("EMSGSIZE", "send() of 3001 bytes", () => socket.send(bytes(3001)));
      await peer.writeln("REFUSED");
      await peer.expectln("SEND");
      await check.sends(socket, bytes(3000));
      await peer.expectln("DONE");
    },
  }),
];
