/**
 * The bounds of SO_RCVLOWAT; `stream/rcvlowat` has what it does.
 *
 * @module
 */
import {
  AF_VSOCK,
  bytes,
  type ConformanceCase,
  defineCase,
  kernel,
  man,
  MSG_DONTWAIT,
  MSG_WAITALL,
  POLLIN,
  seesEvents,
  SO_RCVLOWAT,
  SO_VM_SOCKETS_BUFFER_SIZE,
  SOL_SOCKET,
} from "../../kit/mod.ts";

/** The buffer of a new socket, in bytes. */
const BUFFER = 262_144;
/** What is sent at once, what is read of it, and what is sent later, in bytes. */
const [SENT, READ, MORE] = [1000, 900, 400];
/** As much as is there in the end, in bytes. */
const LOW = SENT - READ + MORE;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineCase({
    id: "options/rcvlowat/stream-bounds",
    title: "SO_RCVLOWAT of a stream is at least 1 and no more than its buffer",
    requirement:
      "SO_RCVLOWAT MUST be 1 at first and where 0 is set, and EINVAL where it is more than the " +
      "buffer",
    refs: [man("socket", 7, "SO_RCVLOWAT"), kernel("vsock_set_rcvlowat")],
    does: {
      client:
        "checks that SO_RCVLOWAT of a stream socket is 1 at first and after 0, keeps 2 and 262144, " +
        "and fails with EINVAL with 262145, 2147483647 and -1, and with 1001 when the buffer is 1000",
    },
    async client({ vsock, check }) {
      using socket = vsock.open("stream");
      const lowat = () => socket.getInt(SOL_SOCKET, SO_RCVLOWAT);
      check.equal(lowat(), 1, "SO_RCVLOWAT at first");
      for (const value of [2, BUFFER]) await check.setsInt(socket, SOL_SOCKET, SO_RCVLOWAT, value);
      const refuses = async (value: number) => {
        const before = lowat();
        const set = () => socket.setInt(SOL_SOCKET, SO_RCVLOWAT, value);
        await check.fails("EINVAL", `SO_RCVLOWAT ${value}`, set);
        check.equal(lowat(), before, `SO_RCVLOWAT after ${value} was refused`);
      };
      for (const value of [BUFFER + 1, 0x7fffffff, -1]) await refuses(value);
      socket.setInt(SOL_SOCKET, SO_RCVLOWAT, 0);
      check.equal(lowat(), 1, "SO_RCVLOWAT after 0");
      socket.setU64(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, 1000n);
      await check.setsInt(socket, SOL_SOCKET, SO_RCVLOWAT, 1000);
      await refuses(1001);
    },
  }),
  defineCase({
    id: "options/rcvlowat/stream-counts-what-is-left",
    title: "poll() counts what is left of a packet that was read in part",
    requirement: "poll() MUST NOT see POLLIN while fewer than SO_RCVLOWAT bytes are left unread",
    refs: [man("socket", 7, "SO_RCVLOWAT"), kernel("virtio_transport_notify_poll_in")],
    does: {
      client: "connects a stream socket, sends 1000 bytes, and 400 more when it is asked to",
      server: "accepts, receives 900 bytes, sets SO_RCVLOWAT to 500, and checks that poll() sees " +
        "nothing of the 100 that are left, and POLLIN when 500 are there, which one recv() gives",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect("stream");
      await check.sends(socket, random.bytes(SENT));
      await peer.expectln("MORE");
      await check.sends(socket, random.bytes(MORE));
      await peer.expectln("DONE");
    },
    async server(context) {
      const { vsock, peer, check, random } = context;
      using socket = await vsock.accept("stream");
      const first = await check.receives(socket, READ);
      await check.setsInt(socket, SOL_SOCKET, SO_RCVLOWAT, LOW);
      await seesEvents(context, socket, POLLIN, 0, `with ${SENT - READ} bytes of ${LOW}`);
      await peer.writeln("MORE");
      await seesEvents(context, socket, POLLIN, POLLIN, `with ${LOW} bytes of ${LOW}`);
      const rest = bytes(LOW);
      const receive = () => socket.recv(rest, MSG_DONTWAIT);
      check.equal(await check.succeeds(`recv(${LOW})`, receive), LOW, "what one recv() gives");
      const [sent, more] = [random.bytes(SENT), random.bytes(MORE)];
      check.sameBytes(first, sent.subarray(0, READ), "the first bytes");
      check.sameBytes(rest.subarray(0, SENT - READ), sent.subarray(READ), "what was left");
      check.sameBytes(rest.subarray(SENT - READ), more, "what came after it");
      await peer.writeln("DONE");
    },
  }),
  defineCase({
    id: "options/rcvlowat/stream-whole-buffer",
    title: "recv() does not wait for as much as the buffer, and waits for a byte less",
    requirement:
      "recv() that is to wait for as many bytes as the buffer has SHOULD fail with ENOMEM at once, and one " +
      "of a byte less MUST give all of them",
    refs: [man("recv", 2, "MSG_WAITALL"), kernel("__vsock_connectible_recvmsg")],
    does: {
      client: "connects a stream socket, and sends 262143 bytes when the server was refused",
      server:
        "accepts, checks that recv(262144) fails with ENOMEM with MSG_WAITALL, and with SO_RCVLOWAT 262144 " +
        "also where it does not wait, and that recv(262143, MSG_WAITALL) gives all that is sent",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect("stream");
      await peer.expectln("SEND");
      await check.sends(socket, random.bytes(BUFFER - 1));
      await check.receivesEnd(socket);
    },
    async server({ vsock, peer, check, random }) {
      using socket = await vsock.accept("stream");
      const all = () => socket.recv(bytes(BUFFER), MSG_WAITALL);
      await check.fails("ENOMEM", "recv(262144, MSG_WAITALL)", all);
      socket.setInt(SOL_SOCKET, SO_RCVLOWAT, BUFFER);
      const low = () => socket.recv(bytes(BUFFER), MSG_DONTWAIT);
      await check.fails("ENOMEM", "recv(262144) with SO_RCVLOWAT 262144", low);
      socket.setInt(SOL_SOCKET, SO_RCVLOWAT, 1);
      await peer.writeln("SEND");
      const into = bytes(BUFFER - 1);
      const less = () => socket.recv(into, MSG_WAITALL);
      const got = await check.succeeds("recv(262143, MSG_WAITALL)", less);
      check.equal(got, BUFFER - 1, "what recv(262143, MSG_WAITALL) gives");
      check.sameBytes(into, random.bytes(BUFFER - 1), "the data");
    },
  }),
];
