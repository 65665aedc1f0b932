/**
 * MSG_PEEK on messages.
 *
 * @module
 */
import { type ConformanceCase, defineCase, kernel, man, upstream } from "../../kit/mod.ts";
import { peekThenReceive, sendToPeeker } from "../_shared/peek.ts";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Peeking returns the message and its length without removing it. */
  defineCase({
    id: "seqpacket/msg-peek/leaves-message",
    title: "MSG_PEEK returns a message and its length and leaves it in the queue",
    requirement: "recv(MSG_PEEK) MUST return the same message as the next recv()",
    refs: [
      upstream("SOCK_SEQPACKET MSG_PEEK"),
      man("recv", 2, "MSG_PEEK"),
      kernel("virtio_transport_seqpacket_dequeue"),
    ],
    needs: ["seqpacket"],
    does: {
      client: "connects, and sends a message of 64 random bytes when the server is ready",
      server:
        "accepts, checks that MSG_PEEK fails with EAGAIN while there is no message, peeks at 32 " +
        "bytes of the message, at all 64, and at its length with MSG_TRUNC, then receives it, " +
        "and checks that all agree",
    },
    client: (context) => sendToPeeker("seqpacket", context),
    server: (context) => peekThenReceive("seqpacket", context),
  }),
];
