/**
 * MSG_TRUNC on messages.
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
  upstream,
} from "../../kit/mod.ts";

const LENGTH = 32;

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** The receiver asks for less than was sent and must still learn the real length. */
  defineCase({
    id: "seqpacket/msg-trunc/returns-real-length",
    title: "MSG_TRUNC returns the real length of a message",
    requirement:
      "recvmsg(MSG_TRUNC) MUST return the message's length, not the buffer's, and set MSG_TRUNC",
    refs: [
      upstream("SOCK_SEQPACKET MSG_TRUNC flag"),
      man("recv", 2, "MSG_TRUNC"),
      kernel("__vsock_connectible_recvmsg"),
    ],
    needs: ["seqpacket"],
    does: {
      client: "connects, and sends a message of 32 bytes",
      server:
        "accepts, calls recvmsg(MSG_TRUNC) with room for 16 bytes, and checks that it returns 32 " +
        "and sets MSG_TRUNC in msg_flags",
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect("seqpacket");
      await check.sends(socket, bytes(LENGTH));
      await peer.writeln("SENDDONE");
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept("seqpacket");
      await peer.expectln("SENDDONE");
      const receive = () => socket.recvmsg([bytes(LENGTH / 2)], MSG_TRUNC);
      const { length, flags } = await check.succeeds("recvmsg(MSG_TRUNC)", receive);
      check.equal(length, LENGTH, "the length that recvmsg(MSG_TRUNC) returns");
      check.flag(flags, MSG_TRUNC, "MSG_TRUNC in msg_flags");
    },
  }),
];
