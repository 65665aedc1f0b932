/**
 * MSG_PEEK on messages.
 *
 * @module
 */
import { type ConformanceCase, defineCase, kernel, man, upstream } from "../../kit/mod.ts";
import { peekThenReceive, sendToPeeker } from "../_shared/peek.ts";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Peeking shows the message and its length, and leaves it there. */
  defineCase({
    id: "seqpacket/msg-peek/leaves-message",
    title: "MSG_PEEK shows a message and its length and leaves it in the queue",
    requirement: "recv(MSG_PEEK) MUST return the message that the next recv() returns",
    refs: [
      upstream("SOCK_SEQPACKET MSG_PEEK"),
      man("recv", 2, "MSG_PEEK"),
      kernel("virtio_transport_seqpacket_dequeue"),
    ],
    needs: ["seqpacket"],
    does: {
      client: "connects, and sends a message of 64 random bytes when the server is ready",
      server:
        "accepts, claims EAGAIN while nothing is there, peeks at 32 bytes of the message, at all " +
        "64, and at its length with MSG_TRUNC, then receives it, and claims that all agree",
    },
    client: (context) => sendToPeeker("seqpacket", context),
    server: (context) => peekThenReceive("seqpacket", context),
  }),
];
