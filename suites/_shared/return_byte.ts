/**
 * The other side of a case that is about one socket: it shows that the connection works.
 *
 * @module
 */
import type { CaseContext, SocketType } from "../../kit/mod.ts";

/** Accepts, receives a byte, sends one, and waits until the other side has closed. */
export async function returnByte({ vsock, check }: CaseContext, type: SocketType): Promise<void> {
  using socket = await vsock.accept(type);
  await check.receivesByte(socket);
  await check.sendsByte(socket);
  await vsock.waitRemoteClose(socket);
}
