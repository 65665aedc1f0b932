/**
 * A connect() that nobody answers.
 *
 * @module
 */
import { type CaseContext, type Socket, type SocketType, unansweredFrom } from "../../kit/mod.ts";

/** A socket whose connect() nobody answers. */
export async function lonely({ vsock, peer }: CaseContext, type: SocketType): Promise<Socket> {
  const known = Number(await peer.readUlong());
  const { port } = vsock.peerAddress();
  return vsock.bound(type, { cid: unansweredFrom(vsock.machine, known), port: port + 1 });
}

/** Tells the client by which CID it is known. */
export async function tellsCid({ vsock, peer }: CaseContext): Promise<void> {
  await peer.writeUlong(vsock.peerAddress().cid);
}
