/**
 * MSG_PEEK on a stream.
 *
 * @module
 */
import { type ConformanceCase, defineCase, kernel, man, upstream } from "../../kit/mod.ts";
import { peekAtRest, peekThenReceive, sendToPeeker } from "../_shared/peek.ts";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Peeking returns the data without removing it. */
  defineCase({
    id: "stream/msg-peek/leaves-data",
    title: "MSG_PEEK returns the data and leaves it in the queue",
    requirement: "recv(MSG_PEEK) MUST return the same data as the next recv()",
    refs: [
      upstream("SOCK_STREAM MSG_PEEK"),
      man("recv", 2, "MSG_PEEK"),
      kernel("virtio_transport_stream_dequeue"),
    ],
    does: {
      client: "connects, and sends 64 random bytes when the server is ready",
      server:
        "accepts, checks that MSG_PEEK fails with EAGAIN while there is no data, peeks at 32 and " +
        "at 64 bytes, receives 64, and checks that all three agree",
    },
    client: (context) => sendToPeeker("stream", context),
    server: (context) => peekThenReceive("stream", context),
  }),
  /** Peeking starts where the last recv() ended. */
  defineCase({
    id: "stream/msg-peek/after-partial-recv",
    title: "MSG_PEEK after a partial recv() returns only the remaining data",
    requirement: "recv(MSG_PEEK) MUST return the data not yet received, and no more than that",
    refs: [
      upstream("SOCK_STREAM MSG_PEEK after partial recv"),
      man("recv", 2, "MSG_PEEK"),
      kernel("virtio_transport_stream_dequeue"),
    ],
    does: {
      client: "connects, and sends 64 random bytes when the server is ready",
      server:
        "accepts, receives 1 byte, peeks with room for 64, and checks that it gets the remaining " +
        "63, which recv() then returns",
    },
    client: (context) => sendToPeeker("stream", context),
    server: (context) => peekAtRest("stream", context),
  }),
];
