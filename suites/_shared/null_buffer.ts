/**
 * What recv() to address 0 must do for either type of socket.
 *
 * @module
 */
import { bytes, type CaseContext, MSG_DONTWAIT, type SocketType } from "../../kit/mod.ts";
const LENGTH = 512;
const NOWHERE = { address: 0n, length: LENGTH };

/** Receives to address 0, then into a real buffer: a stream keeps its data, a message is lost. */
export async function receiveNowhere(
  type: SocketType,
  { vsock, peer, check }: CaseContext,
): Promise<void> {
  using socket = await vsock.connect(type);
  await peer.expectln("SENDDONE");
  await check.fails("EFAULT", "recv() at address 0", () => socket.recv(NOWHERE));
  if (type === "stream") {
    await check.receives(socket, LENGTH, MSG_DONTWAIT);
  } else {
    const receiveMore = () => socket.recv(bytes(LENGTH), MSG_DONTWAIT);
    await check.fails("EAGAIN", "recv() after the message was lost", receiveMore);
  }
  await peer.writeln("DONE");
}

/** Sends what the other side cannot receive. */
export async function sendToNowhere(
  type: SocketType,
  { vsock, peer, check }: CaseContext,
): Promise<void> {
  using socket = await vsock.accept(type);
  await check.sends(socket, bytes(LENGTH));
  await peer.writeln("SENDDONE");
  await peer.expectln("DONE");
}
