/**
 * Messages that can never fit.
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
  SO_VM_SOCKETS_BUFFER_SIZE,
  upstream,
} from "../../kit/mod.ts";

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** One byte more than the buffer holds. */
  defineCase({
    id: "seqpacket/send/larger-than-buffer-is-emsgsize",
    title: "a message larger than the buffer fails with EMSGSIZE",
    requirement:
      "send() of a message larger than the socket's buffer MUST fail with EMSGSIZE and send nothing",
    refs: [
      upstream("SOCK_SEQPACKET big message", "checks that nothing of it arrives"),
      man("send", 2, "EMSGSIZE"),
      kernel("virtio_transport_seqpacket_enqueue"),
    ],
    needs: ["seqpacket"],
    does: {
      client:
        "connects, reads SO_VM_SOCKETS_BUFFER_SIZE, and checks that send() of one byte more " +
        "fails with EMSGSIZE",
      server: "accepts, and checks that recv() returns only end of file once the client has tried",
    },
    async client({ vsock, peer, check }) {
      using socket = await vsock.connect("seqpacket");
      const size = await check.succeeds(
        "getsockopt(SO_VM_SOCKETS_BUFFER_SIZE)",
        () => socket.getU64(AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE),
      );
      const message = bytes(Number(size) + 1);
      await check.fails("EMSGSIZE", `send(${message.length})`, () => socket.send(message));
      await peer.writeln("CLISENT");
    },
    async server({ vsock, peer, check }) {
      using socket = await vsock.accept("seqpacket");
      await peer.expectln("CLISENT");
      await check.receivesEnd(socket);
    },
  }),
];
