/**
 * MSG_TRUNC on messages of several packets.
 *
 * @module
 */
import {
  bytes,
  type ConformanceCase,
  defineCase,
  kernel,
  man,
  MSG_TRUNC,
  spec,
} from "../../kit/mod.ts";

/** Messages, and how much room there is for each. */
const LARGE: readonly (readonly [length: number, room: number])[] = [
  [200_000, 100_000],
  [70_000, 1000],
  [30, 100],
];

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  defineCase({
    id: "messages/short-buffer/large-tells-its-length",
    title: "MSG_TRUNC tells the length of a message of several packets",
    requirement: "recv(MSG_TRUNC) MUST return the length of the message, whatever part of it fits",
    refs: [
      man("recv", 2, "MSG_TRUNC"),
      spec("5.10.6.6 Seqpacket Sockets"),
      kernel("__vsock_connectible_recvmsg"),
    ],
    needs: ["seqpacket"],
    does: {
      client: "connects, and sends messages of 200000, 70000 and 30 bytes as there is room",
      server: "accepts, receives 100000, 1000 and 100 bytes of them with MSG_TRUNC, and checks " +
        "that 200000, 70000 and 30 are returned and that the bytes are right",
    },
    async client({ vsock, peer, check, random }) {
      using socket = await vsock.connect("seqpacket");
      for (const [length] of LARGE) await check.sends(socket, random.bytes(length));
      await peer.expectln("DONE");
    },
    async server({ vsock, peer, check, random }) {
      using socket = await vsock.accept("seqpacket");
      for (const [length, room] of LARGE) {
        const into = bytes(room);
        const what = `recv(MSG_TRUNC) of ${length} bytes with room for ${room}`;
        const told = await check.succeeds(what, () => socket.recv(into, MSG_TRUNC));
        check.equal(told, length, `what ${what} returns`);
        const whole = random.bytes(length);
        const fitted = Math.min(room, length);
        check.sameBytes(into.subarray(0, fitted), whole.subarray(0, fitted), `the data of ${what}`);
      }
      await peer.writeln("DONE");
    },
  }),
];
