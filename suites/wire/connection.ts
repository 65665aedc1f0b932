/**
 * How connections come about, and what they withstand.
 *
 * @module
 */
import {
  AF_VSOCK,
  bytes,
  type ConformanceCase,
  kernel,
  man,
  MSG_DONTWAIT,
  SO_ERROR,
  SO_VM_SOCKETS_CONNECT_TIMEOUT,
  SOL_SOCKET,
  spec,
  timeval,
} from "../../kit/mod.ts";
import { defineWireCase, type WireCase } from "../../kit/wire.ts";

const STREAM = spec("5.10.6.5 Stream Sockets");

/** The host accepts, sends a byte when it is told to, and receives one. */
const exchanges: NonNullable<WireCase["socket"]> = async ({ vsock, peer, check }) => {
  using socket = await vsock.accept("stream");
  await peer.expectln("GO ON");
  await check.sendsByte(socket);
  await check.receivesByte(socket);
  await peer.writeln("DONE");
};

/** What a connection is not to mind, and how it is sent. */
const IGNORED = {
  "request": { what: "a second REQUEST", op: "REQUEST" },
  "response": { what: "a second RESPONSE", op: "RESPONSE" },
  "invalid": { what: "op 0", op: 0 },
  "unknown-op": { what: "op 77", op: 77 },
  "shutdown-of-nothing": { what: "SHUTDOWN without flags", op: "SHUTDOWN" },
} as const;

const ignored = Object.entries(IGNORED).map(([claim, { what, op }]) =>
  defineWireCase({
    id: `wire/connection/survives-${claim}`,
    title: `a connection goes on after ${what}`,
    requirement: `a connection MUST go on after ${what}, which ends nothing`,
    refs: [STREAM, kernel("virtio_transport_recv_pkt")],
    does:
      `connects a raw guest, sends ${what}, and checks that nothing comes back and that a byte ` +
      "goes each way afterwards",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      line.sends(op);
      await line.getsNothing(["CREDIT_UPDATE"]);
      await peer.writeln("GO ON");
      await line.gets("RW", { data: Uint8Array.of(0x41) });
      line.sends("RW", { data: Uint8Array.of(0x41) });
      await peer.expectln("DONE");
    },
    socket: exchanges,
  })
);

/** What is no answer to REQUEST. */
const WRONG_ANSWERS = ["REQUEST", "RW", "CREDIT_UPDATE", "CREDIT_REQUEST", "SHUTDOWN"] as const;

const wrongAnswers = WRONG_ANSWERS.map((op) =>
  defineWireCase({
    id: `wire/connection/answered-by-${op.toLowerCase().replace("_", "-")}`,
    title: `connect() fails where ${op} answers its REQUEST`,
    requirement: `connect() MUST fail where ${op} answers its REQUEST, and the peer MUST get RST`,
    refs: [STREAM, man("connect", 2, "ERRORS"), kernel("virtio_transport_recv_pkt")],
    does:
      `waits for REQUEST in a raw guest, answers with ${op}, and checks that RST comes and that ` +
      "connect() of the host fails with EPROTO",
    async raw({ guest }) {
      const line = await guest.requested();
      line.sends(op, op === "RW" ? { data: 1 } : { flags: op === "SHUTDOWN" ? 3 : 0 });
      await line.gets("RST");
    },
    async socket({ vsock, check }) {
      await check.fails("EPROTO", "connect()", () => vsock.connect("stream"));
    },
  })
);

const byType = (["stream", "seqpacket"] as const).flatMap((type) => [
  defineWireCase({
    id: `wire/connection/guest-connects-${type}`,
    title: `REQUEST to a ${type} listener is answered with RESPONSE`,
    requirement:
      "a host MUST answer REQUEST with RESPONSE where a socket listens, with the room it has",
    refs: [
      STREAM,
      spec("5.10.6.3 Buffer Space Management"),
      kernel("virtio_transport_recv_listen"),
    ],
    does:
      `sends REQUEST from a raw guest to a ${type} listener, and checks that RESPONSE comes with ` +
      "buf_alloc 262144 and fwd_cnt 0, and that accept() names the guest's CID and port",
    async raw({ guest, peer }) {
      await peer.expectln("LISTENING");
      const line = guest.line(type);
      line.sends("REQUEST");
      await line.gets("RESPONSE", { bufAlloc: 262_144, fwdCnt: 0 });
      await peer.writeln(`${guest.cid}:${line.port}`);
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept(type);
      const { cid, port } = socket.getpeername();
      check.equal(cid, vsock.peerAddress().cid, "the CID of the peer");
      await peer.expectln(`${cid}:${port}`);
    },
  }),
  defineWireCase({
    id: `wire/connection/host-connects-${type}`,
    title: `connect() of a ${type} socket sends REQUEST, and RESPONSE ends it`,
    requirement: "connect() MUST send REQUEST from the socket's port, and succeed after RESPONSE",
    refs: [STREAM, spec("5.10.6.3 Buffer Space Management"), kernel("virtio_transport_recv_pkt")],
    does:
      `waits for REQUEST of a ${type} socket in a raw guest, answers with RESPONSE, and checks ` +
      "that connect() succeeds, from the port that REQUEST had",
    async raw({ guest, peer }) {
      const line = await guest.accept(type);
      await peer.expectln(`${line.to}`);
    },
    async socket({ vsock, peer }) {
      using socket = await vsock.connect(type);
      await peer.writeln(`${socket.getsockname().port}`);
    },
  }),
]);

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  ...byType,
  defineWireCase({
    id: "wire/connection/refused",
    title: "RST for REQUEST refuses connect()",
    requirement: "connect() MUST fail where RST answers its REQUEST",
    refs: [STREAM, man("connect", 2, "ERRORS"), kernel("virtio_transport_recv_pkt")],
    does:
      "waits for REQUEST in a raw guest, answers with RST, and checks that connect() of the host " +
      "fails with ECONNRESET and that RST is not answered",
    async raw({ guest }) {
      const line = await guest.requested();
      line.sends("RST");
      await line.getsNothing();
    },
    async socket({ vsock, check }) {
      await check.fails("ECONNRESET", "connect()", () => vsock.connect("stream"));
    },
  }),
  ...wrongAnswers,
  ...ignored,
  defineWireCase({
    id: "wire/connection/data-of-other-type",
    title: "data of the other type on a connection's ports is reset, and the connection goes on",
    requirement: "a host MUST NOT give a stream what a packet of type SEQPACKET brings",
    refs: [
      spec("5.10.6.2 Addressing"),
      spec("5.10.6.4 Receive and Transmit"),
      kernel("virtio_transport_recv_pkt"),
    ],
    does:
      "connects a raw guest, sends RW of type SEQPACKET, and checks that RST of that type comes " +
      "and that a byte goes each way on the stream afterwards",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      const other = guest.line("seqpacket", line.to, line.port);
      other.sends("RW", { data: 9, flags: 1 });
      await other.gets("RST");
      await peer.writeln("GO ON");
      await line.gets("RW", { data: Uint8Array.of(0x41) });
      line.sends("RW", { data: Uint8Array.of(0x41) });
      await peer.expectln("DONE");
    },
    socket: exchanges,
  }),
  defineWireCase({
    id: "wire/connection/backlog",
    title: "a flood of REQUESTs is answered up to the backlog, and again after accept()",
    requirement:
      "a host MUST answer REQUEST with RST where a listener's queue is full, and MUST take " +
      "the next one when it is not",
    refs: [STREAM, man("listen", 2, "backlog"), kernel("virtio_transport_recv_listen")],
    does: "sends 50 REQUESTs from a raw guest to a listener of backlog 3, and checks that 4 are " +
      "answered with RESPONSE and 46 with RST, and one more with RESPONSE after accept()",
    async raw({ guest, peer, check }) {
      await peer.expectln("LISTENING");
      const lines = Array.from({ length: 50 }, () => guest.line());
      for (const line of lines) line.sends("REQUEST");
      const answers: number[] = [];
      for (const line of lines) answers.push((await guest.next(line))?.op ?? -1);
      const expected = lines.map((_, i) => i < 4 ? 2 : 3);
      check.equal(answers, expected, "the ops that answer 50 REQUESTs");
      await peer.writeln("ACCEPT");
      await guest.connect();
      await peer.writeln("DONE");
    },
    async socket({ vsock, peer }) {
      const listener = vsock.listening("stream", 3);
      await peer.writeln("LISTENING");
      await peer.expectln("ACCEPT");
      const { socket } = await listener.accept();
      using _ = socket;
      await peer.writeln("LISTENING");
      await peer.expectln("DONE");
    },
  }),
  defineWireCase({
    id: "wire/connection/late-response",
    title: "RESPONSE that comes after connect() has given up is answered with RST",
    requirement: "a host MUST answer RESPONSE with RST where no connect() waits for it any more",
    refs: [
      STREAM,
      man("vsock", 7, "SO_VM_SOCKETS_CONNECT_TIMEOUT"),
      kernel("virtio_transport_recv_pkt"),
    ],
    does: "keeps REQUEST in a raw guest until connect() of the host, which may take 100 ms, has " +
      "failed with ETIMEDOUT, answers with RESPONSE, and checks that RST comes",
    async raw({ guest, peer }) {
      const line = await guest.requested();
      await peer.expectln("TIMED OUT");
      line.waiting.length = 0;
      line.sends("RESPONSE");
      await line.gets("RST");
    },
    async socket({ vsock, peer, check }) {
      await peer.expectln("LISTENING");
      {
        using socket = vsock.open("stream");
        socket.setsockopt(AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, timeval(100));
        await check.fails("ETIMEDOUT", "connect()", () => socket.connect(vsock.peerAddress()));
      }
      await peer.writeln("TIMED OUT");
    },
  }),
  defineWireCase({
    id: "wire/connection/reset",
    title: "RST ends a connection: what came before it can be read, and then there is an end",
    requirement: "RST MUST end a connection, and MUST NOT be answered",
    refs: [STREAM, kernel("virtio_transport_recv_pkt")],
    does:
      "connects a raw guest, sends 5 bytes and RST, and checks that nothing comes back, and that " +
      "recv() of the host gives 5 bytes and then 0, send() fails with EPIPE, and SO_ERROR is 0",
    async raw({ guest, peer }) {
      const line = await guest.connect();
      line.sends("RW", { data: 5 });
      line.sends("RST");
      await line.getsNothing();
      await peer.writeln("RESET");
    },
    async socket({ vsock, peer, check }) {
      using socket = await vsock.accept("stream");
      await peer.expectln("RESET");
      check.equal(await socket.recv(bytes(9), MSG_DONTWAIT), 5, "recv() after RST");
      check.equal(await socket.recv(bytes(9), MSG_DONTWAIT), 0, "recv() after that");
      await check.fails("EPIPE", "send() after RST", () => socket.send(bytes(1)));
      check.equal(socket.getInt(SOL_SOCKET, SO_ERROR), 0, "SO_ERROR");
    },
  }),
];
