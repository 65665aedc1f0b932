/**
 * Receive buffers that are not there.
 *
 * @module
 */
import { type ConformanceCase, defineCase, kernel, man, upstream } from "../../kit/mod.ts";
import { receiveNowhere, sendToNowhere } from "../_shared/null_buffer.ts";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Address 0 costs nothing. */
  defineCase({
    id: "stream/receive-buffer/null-keeps-data",
    title: "recv() at address 0 is EFAULT and the data stays",
    requirement: "recv() into unmapped memory MUST fail with EFAULT and leave a stream's data",
    refs: [
      upstream("SOCK_STREAM test invalid buffer"),
      man("recv", 2, "EFAULT"),
      kernel("virtio_transport_stream_dequeue"),
    ],
    does: {
      client:
        "connects, claims that recv() of 512 bytes at address 0 is EFAULT, and that the 512 bytes " +
        "can then be received without waiting",
      server: "accepts, sends 512 bytes, and keeps the connection until the client is done",
    },
    client: (context) => receiveNowhere("stream", context),
    server: (context) => sendToNowhere("stream", context),
  }),
];
