/**
 * MSG_PEEK on a stream.
 *
 * @module
 */
import { type ConformanceCase, defineCase, kernel, man, upstream } from "../../kit/mod.ts";
import { peekAtRest, peekThenReceive, sendToPeeker } from "../_shared/peek.ts";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Peeking shows the data and leaves it there. */
  defineCase({
    id: "stream/msg-peek/leaves-data",
    title: "MSG_PEEK shows the data and leaves it in the queue",
    requirement: "recv(MSG_PEEK) MUST return the data that the next recv() returns",
    refs: [
      upstream("SOCK_STREAM MSG_PEEK"),
      man("recv", 2, "MSG_PEEK"),
      kernel("virtio_transport_stream_dequeue"),
    ],
    does: {
      client: "connects, and sends 64 random bytes when the server is ready",
      server:
        "accepts, claims that MSG_PEEK is EAGAIN while nothing is there, peeks at 32 and at 64 " +
        "bytes, receives 64, and claims that all three agree",
    },
    client: (context) => sendToPeeker("stream", context),
    server: (context) => peekThenReceive("stream", context),
  }),
  /** Peeking begins where the last recv() ended. */
  defineCase({
    id: "stream/msg-peek/after-partial-recv",
    title: "MSG_PEEK after a recv() of a part shows the rest, with room for more",
    requirement: "recv(MSG_PEEK) MUST show the data not yet received, and no more than that",
    refs: [
      upstream("SOCK_STREAM MSG_PEEK after partial recv"),
      man("recv", 2, "MSG_PEEK"),
      kernel("virtio_transport_stream_dequeue"),
    ],
    does: {
      client: "connects, and sends 64 random bytes when the server is ready",
      server:
        "accepts, receives 1 byte, peeks with room for 64, and claims that it sees the 63 that are " +
        "left, which recv() then gives",
    },
    client: (context) => sendToPeeker("stream", context),
    server: (context) => peekAtRest("stream", context),
  }),
];
