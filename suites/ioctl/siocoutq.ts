/**
 * SIOCOUTQ: how much of the sent data the peer has not received yet.
 *
 * @module
 */
import {
  type CaseContext,
  type ConformanceCase,
  defineCase,
  kernel,
  SIOCOUTQ,
  type SocketType,
  upstream,
} from "../../kit/mod.ts";

const LENGTH = 64;

async function sendAndAsk(type: SocketType, { vsock, peer, check, random }: CaseContext) {
  using socket = await vsock.connect(type);
  await check.sends(socket, random.bytes(LENGTH));
  await peer.expectln("RECEIVED");
  await check.ioctlBecomes(socket, SIOCOUTQ, 0, "ioctl(SIOCOUTQ) after the peer received all");
}

async function receiveAll(type: SocketType, { vsock, peer, check }: CaseContext) {
  using socket = await vsock.accept(type);
  await check.receives(socket, LENGTH);
  await peer.writeln("RECEIVED");
}

function zeroAfterReceipt(type: SocketType): ConformanceCase {
  const needs = type === "seqpacket" ? [type] as const : [];
  return defineCase({
    id: `ioctl/siocoutq/${type}-zero-after-receipt`,
    title: `SIOCOUTQ on a ${type} socket is 0 once the peer has received everything`,
    requirement:
      "ioctl(SIOCOUTQ) MUST return 0 soon after the peer has received everything that was sent",
    refs: [
      upstream(`SOCK_${type.toUpperCase()} ioctl(SIOCOUTQ) 0 unsent bytes`),
      kernel("virtio_transport_unsent_bytes"),
    ],
    needs: [...needs, { client: "siocoutq" }],
    does: {
      client:
        `connects a ${type} socket, sends 64 random bytes, and checks that SIOCOUTQ becomes 0 ` +
        "once the server has received them",
      server: `accepts a ${type} connection, receives 64 bytes, and closes`,
    },
    client: (context) => sendAndAsk(type, context),
    server: (context) => receiveAll(type, context),
  });
}

/** The cases of this file. */
export const cases: readonly ConformanceCase[] = [
  /** On a stream. */
  zeroAfterReceipt("stream"),
  /** On messages. */
  zeroAfterReceipt("seqpacket"),
];
