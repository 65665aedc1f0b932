/**
 * Credit: what each side may send, and how it learns of that.
 *
 * @module
 */
import {
  AF_VSOCK,
  bytes,
  type ConformanceCase,
  fillWindow,
  kernel,
  SO_VM_SOCKETS_BUFFER_SIZE,
  spec,
} from "../../kit/mod.ts";
import { defineWireCase, ROOM, type WireCase } from "../../kit/wire.ts";

const CREDIT = spec("5.10.6.3 Buffer Space Management");

/** The host sends until EAGAIN each time that it is told to, and says how much. */
function fills(times: number): NonNullable<WireCase["socket"]> {
  return async ({ vsock, peer, check }) => {
    using socket = await vsock.accept("stream");
    for (let i = 0; i < times; i++) {
      await peer.expectln("FILL");
      await peer.writeUlong(await fillWindow({ check, peer }, socket, 100));
    }
    await peer.expectln("DONE");
  };
}

/** A window that is told, and how much may then be sent in all. */
const windows = [0, 1, 1000, 5000].map((room) =>
  defineWireCase({
    id: `wire/credit/window-of-${room}`,
    title: `of a window of ${room} bytes a sender uses ${room}, and no more`,
    requirement: `a sender MUST NOT send more than buf_alloc allows, and MUST be able to send that`,
    refs: [CREDIT, kernel("virtio_transport_get_credit")],
    does:
      `connects a raw guest with buf_alloc ${room}, has the host send until EAGAIN, and checks ` +
      `that ${room} bytes are taken and come, and 400 more after fwd_cnt and buf_alloc allow them`,
    async raw({ guest, peer, check }) {
      const line = await guest.connect("stream", { bufAlloc: room });
      line.fwdCnt = 0;
      await peer.writeln("FILL");
      check.equal(await peer.readUlong(), BigInt(room), "bytes that send() took");
      await line.getsBytes(room);
      await line.getsNothing(["CREDIT_REQUEST"]);
      line.fwdCnt = Math.min(room, 300);
      line.bufAlloc = room + 400 - line.fwdCnt;
      line.sends("CREDIT_UPDATE");
      await guest.settle();
      await peer.writeln("FILL");
      check.equal(await peer.readUlong(), 400n, "bytes that send() took after CREDIT_UPDATE");
      await line.getsBytes(400);
      await peer.writeln("DONE");
    },
    socket: fills(2),
  })
);

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineWireCase({
    id: "wire/credit/request-is-answered",
    title: "CREDIT_REQUEST is answered with CREDIT_UPDATE",
    requirement: "a host MUST answer CREDIT_REQUEST with its buf_alloc and fwd_cnt",
    refs: [CREDIT, kernel("virtio_transport_recv_pkt")],
    does:
      "connects a raw guest, sends CREDIT_REQUEST before it has sent 5 bytes and after the host " +
      "has read them, and checks that CREDIT_UPDATE comes with 262144 and 0, then 5",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      line.sends("CREDIT_REQUEST");
      await line.gets("CREDIT_UPDATE", { bufAlloc: ROOM, fwdCnt: 0 });
      line.sends("RW", { data: 5 });
      await peer.expectln("RECEIVED");
      // It may have told that by itself.
      await line.getsNothing(["CREDIT_UPDATE"]);
      line.sends("CREDIT_REQUEST");
      await line.gets("CREDIT_UPDATE", { bufAlloc: ROOM, fwdCnt: 5 });
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await check.receives(socket, 5);
      await peer.writeln("RECEIVED");
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/credit/unread-is-not-forwarded",
    title: "fwd_cnt does not count what nobody has read",
    requirement: "fwd_cnt MUST count the bytes that the receiver took out of its buffer",
    refs: [CREDIT, kernel("virtio_transport_recv_pkt")],
    does: "connects a raw guest, sends 100 bytes of which the host reads 30, and checks that " +
      "CREDIT_REQUEST is answered with no more than that for fwd_cnt, and 100 once all is read",
    async raw({ guest, peer, check }) {
      const line = await guest.connect();
      line.sends("RW", { data: 100 });
      await peer.expectln("RECEIVED");
      await line.getsNothing(["CREDIT_UPDATE"]);
      line.sends("CREDIT_REQUEST");
      const { fwdCnt } = await line.gets("CREDIT_UPDATE", { bufAlloc: ROOM });
      check.that(fwdCnt <= 30, `fwd_cnt is ${fwdCnt} after 30 bytes were read`);
      await peer.writeln("REST");
      await peer.expectln("RECEIVED");
      await line.getsForwarded(100);
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await check.receives(socket, 30);
      await peer.writeln("RECEIVED");
      await peer.expectln("REST");
      await check.receives(socket, 70);
      await peer.writeln("RECEIVED");
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/credit/every-packet-tells",
    title: "data carries the receiver's room and what it has read",
    requirement: "all packets of a stream MUST have valid buf_alloc and fwd_cnt",
    refs: [CREDIT, kernel("virtio_transport_recv_pkt")],
    does:
      "connects a raw guest, sends 10 bytes that the host reads before it sends 1 byte and shuts " +
      "down, and checks that RW and SHUTDOWN have buf_alloc 262144 and fwd_cnt 10",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      line.sends("RW", { data: 10 });
      await line.gets("RW", { bufAlloc: ROOM, fwdCnt: 10 });
      await line.gets("SHUTDOWN", { bufAlloc: ROOM, fwdCnt: 10, flags: 2 });
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await check.receives(socket, 10);
      await check.sendsByte(socket);
      socket.shutdown(1);
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/credit/buffer-size-is-told",
    title: "buf_alloc is the size of the listener's buffer",
    requirement: "buf_alloc MUST be the size of the receiver's buffer",
    refs: [CREDIT, kernel("virtio_transport_recv_pkt")],
    does:
      "connects a raw guest to a listener whose SO_VM_SOCKETS_BUFFER_SIZE is 5000, and checks that " +
      "RESPONSE and CREDIT_UPDATE have buf_alloc 5000",
    async raw({ guest, peer }) {
      await peer.expectln("LISTENING");
      const line = guest.line();
      line.sends("REQUEST");
      await line.gets("RESPONSE", { bufAlloc: 5000 });
      line.sends("CREDIT_REQUEST");
      await line.gets("CREDIT_UPDATE", { bufAlloc: 5000, fwdCnt: 0 });
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer }) {
      const listener = vsock.bound("stream");
      listener.setU64(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, 5000n);
      listener.listen(1);
      await peer.writeln("LISTENING");
      await peer.expectln("DONE");
    },
  }),
  ...windows,
  defineWireCase({
    id: "wire/credit/window-shrinks",
    title: "a window that shrinks below what is under way stops a sender until it is caught up",
    requirement: "a sender MUST NOT send while what is under way is more than buf_alloc",
    refs: [CREDIT, kernel("virtio_transport_get_credit")],
    does:
      "connects a raw guest, lets the host send 1000 bytes, tells buf_alloc 400, and checks that " +
      "send() takes nothing before fwd_cnt is 700 and then 100 bytes",
    async raw({ guest, peer, check }) {
      const line = await guest.connect("stream", { bufAlloc: 1000 });
      line.fwdCnt = 0;
      const expected = [[1000, 0, 1000], [400, 0, 0], [400, 600, 0], [400, 700, 100]] as const;
      for (const [bufAlloc, fwdCnt, taken] of expected) {
        line.bufAlloc = bufAlloc;
        line.fwdCnt = fwdCnt;
        line.sends("CREDIT_UPDATE");
        await guest.settle();
        await peer.writeln("FILL");
        const what = `bytes that send() took with buf_alloc ${bufAlloc} and fwd_cnt ${fwdCnt}`;
        check.equal(await peer.readUlong(), BigInt(taken), what);
        await line.getsBytes(taken);
        await line.getsNothing(["CREDIT_REQUEST"]);
      }
      await peer.writeln("DONE");
    },
    socket: fills(4),
  }),
  defineWireCase({
    id: "wire/credit/impossible-forward",
    title: "a fwd_cnt of more than was sent gives no room beyond buf_alloc",
    requirement: "a sender MUST NOT send more than buf_alloc whatever fwd_cnt says",
    refs: [CREDIT, kernel("virtio_transport_get_credit")],
    does:
      "connects a raw guest with buf_alloc 1000, tells fwd_cnt 5000 before anything was sent, and " +
      "checks that send() takes no more than 1000 bytes, and 1000 in all after a right fwd_cnt",
    async raw({ guest, peer, check }) {
      const line = await guest.connect("stream", { bufAlloc: 1000 });
      line.sends("CREDIT_UPDATE", { fwdCnt: 5000 });
      await guest.settle();
      await peer.writeln("FILL");
      const taken = Number(await peer.readUlong());
      check.that(taken <= 1000, `send() took ${taken} bytes of a window of 1000`);
      line.fwdCnt = 0;
      line.sends("CREDIT_UPDATE");
      await guest.settle();
      await peer.writeln("FILL");
      const rest = Number(await peer.readUlong());
      check.equal(taken + rest, 1000, "bytes that send() took in all");
      await line.getsBytes(1000);
      await peer.writeln("DONE");
    },
    socket: fills(2),
  }),
  defineWireCase({
    id: "wire/credit/update-when-read",
    title: "a reader that empties a full buffer tells the sender",
    requirement: "a receiver MUST tell of room that its sender waits for, without being asked",
    refs: [CREDIT, kernel("virtio_transport_recv_pkt")],
    does: "connects a raw guest, sends 262144 bytes, has the host read them, and checks that " +
      "CREDIT_UPDATE comes that tells of at least half of the room",
    async raw({ guest, peer, check }) {
      const line = await guest.connect();
      for (let i = 0; i < 64; i++) line.sends("RW", { data: 4096 });
      let forwarded = 0;
      while (forwarded < ROOM / 2) forwarded = (await line.gets("CREDIT_UPDATE")).fwdCnt;
      check.that(forwarded <= ROOM, `fwd_cnt ${forwarded} of ${ROOM} bytes`);
      await peer.expectln("RECEIVED");
      await line.getsForwarded(ROOM);
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await check.receives(socket, ROOM);
      await peer.writeln("RECEIVED");
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/credit/overrun",
    title: "data beyond the room ends the connection, and what fitted can be read",
    requirement:
      "a receiver MUST reset a connection whose sender exceeds its room, and lose nothing " +
      "of what fitted",
    refs: [CREDIT, kernel("virtio_transport_recv_pkt")],
    does:
      "connects a raw guest, sends 262144 bytes and one more, and checks that RST comes, and that " +
      "recv() of the host gives 262144 bytes and then fails with ENOBUFS",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      for (let i = 0; i < 64; i++) line.sends("RW", { data: 4096 });
      await line.getsNothing();
      line.sends("RW", { data: 1 });
      await line.gets("RST");
      await peer.writeln("RESET");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await peer.expectln("RESET");
      await check.receives(socket, ROOM);
      await check.fails("ENOBUFS", "recv() behind that", () => socket.recv(bytes(1)));
    },
  }),
  defineWireCase({
    id: "wire/credit/bytes-on-the-wire",
    title: "the bytes on the wire are the bytes sent",
    requirement: "a device MUST send every byte once, in order, within the credit",
    refs: [spec("5.10.6.2 Addressing"), CREDIT, kernel("virtio_transport_recv_pkt")],
    does:
      "connects a raw guest, has the host send 300,000 bytes, and checks that these bytes come, " +
      "no more of them at a time than credit was given for",
    async raw({ guest, peer, check }) {
      const line = await guest.connect("stream", { bufAlloc: 20_000 });
      const expected = bytes(300_000).map((_, i) => i * 7 + (i >> 8));
      const got = bytes(expected.length);
      let told = 0;
      while (line.received < got.length) {
        const { data } = await line.gets("RW");
        got.set(data, line.received - data.length);
        if (line.received - told < 5000) continue;
        told = line.received;
        line.sends("CREDIT_UPDATE");
      }
      check.sameBytes(got, expected, "what came");
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await check.sends(socket, bytes(300_000).map((_, i) => i * 7 + (i >> 8)));
      await peer.expectln("DONE");
    },
  }),
];
