/**
 * What MSG_PEEK must do for either type of socket.
 *
 * @module
 */
import {
  bytes,
  type CaseContext,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_TRUNC,
  type SocketType,
} from "../../kit/mod.ts";
const LENGTH = 64;

/** Sends one piece of random data when the server is ready for it. */
export async function sendToPeeker(
  type: SocketType,
  { vsock, peer, check, random }: CaseContext,
): Promise<void> {
  using socket = await vsock.connect(type);
  const data = random.bytes(LENGTH);
  await peer.expectln("SRVREADY");
  await check.sends(socket, data);
}

/** Peeks at nothing, at half, at all (and at the length of a message), then receives. */
export async function peekThenReceive(
  type: SocketType,
  { vsock, peer, check }: CaseContext,
): Promise<void> {
  using socket = await vsock.accept(type);
  const peekNothing = () => socket.recv(bytes(LENGTH), MSG_PEEK | MSG_DONTWAIT);
  await check.fails("EAGAIN", "recv(MSG_PEEK) from an empty socket", peekNothing);
  await peer.writeln("SRVREADY");
  const half = await check.receives(socket, LENGTH / 2, MSG_PEEK);
  const all = await check.receives(socket, LENGTH, MSG_PEEK);
  check.sameBytes(half, all.subarray(0, LENGTH / 2), "the half peeked at against all peeked at");
  if (type === "seqpacket") {
    const peekLength = () => socket.recv(bytes(LENGTH / 2), MSG_PEEK | MSG_TRUNC);
    const length = await check.succeeds("recv(MSG_PEEK|MSG_TRUNC)", peekLength);
    check.equal(length, LENGTH, "the length that recv(MSG_PEEK|MSG_TRUNC) returns");
  }
  const received = await check.receives(socket, LENGTH);
  check.sameBytes(received, all, "what was received against what was peeked at");
}

/** Receives one byte, peeks with room for more than the rest, then receives the rest. */
export async function peekAtRest(
  type: SocketType,
  { vsock, peer, check }: CaseContext,
): Promise<void> {
  using socket = await vsock.accept(type);
  await peer.writeln("SRVREADY");
  await check.receives(socket, 1);
  const peeked = await check.receives(socket, LENGTH - 1, MSG_PEEK, LENGTH);
  const received = await check.receives(socket, LENGTH - 1);
  check.sameBytes(received, peeked, "what was received against what was peeked at");
}
