/**
 * Receive buffers that do not exist.
 *
 * @module
 */
import { type ConformanceCase, defineCase, kernel, man, upstream } from "../../kit/mod.ts";
import { receiveNowhere, sendToNowhere } from "../_shared/null_buffer.ts";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** Address 0 loses no data. */
  defineCase({
    id: "stream/receive-buffer/null-keeps-data",
    title: "recv() to address 0 fails with EFAULT and keeps the data",
    requirement: "recv() into unmapped memory MUST fail with EFAULT and keep a stream's data",
    refs: [
      upstream("SOCK_STREAM test invalid buffer"),
      man("recv", 2, "EFAULT"),
      kernel("virtio_transport_stream_dequeue"),
    ],
    does: {
      client:
        "connects, checks that recv() of 512 bytes to address 0 fails with EFAULT, and that the " +
        "512 bytes can then be received without waiting",
      server: "accepts, sends 512 bytes, and keeps the connection until the client is done",
    },
    client: (context) => receiveNowhere("stream", context),
    server: (context) => sendToNowhere("stream", context),
  }),
];
