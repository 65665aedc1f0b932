/**
 * A case that is not of the catalogue. It stays in a file of its own, outside the repository, and is
 * run with `--cases`:
 *
 *     vsock-conformance lab --topology loopback --cases own_case.ts example
 *
 * @module
 */
import { bytes, type ConformanceCase, defineCase, kernel, man } from "@vsock/conformance/kit";

/** How many pieces are sent, and how many bytes each has. */
const PIECES = 16;
const SIZE = 1000;

/** The cases of this file; each is run, listed and explained like one of the catalogue. */
export const cases: readonly ConformanceCase[] = [
  defineCase({
    id: "example/send/keeps-order",
    title: "the pieces of a stream arrive in the order in which they were sent",
    requirement: "a stream socket MUST deliver bytes in the order in which they were sent",
    refs: [man("socket", 2, "SOCK_STREAM"), kernel("virtio_transport_stream_enqueue")],
    does: {
      client: "connects, and sends 16 pieces of 1000 bytes, each filled with its number",
      server: "accepts, and checks that recv() gives the 16 pieces in that order",
    },
    async client({ vsock, check }) {
      using socket = await vsock.connect("stream");
      for (let i = 0; i < PIECES; i++) await check.sends(socket, bytes(SIZE).fill(i));
    },
    async server({ vsock, check }) {
      using socket = await vsock.accept("stream");
      for (let i = 0; i < PIECES; i++) {
        const piece = await check.receives(socket, SIZE);
        check.sameBytes(piece, bytes(SIZE).fill(i), `piece ${i}`);
      }
    },
  }),
];
