/**
 * Connections of sockets that are prepared before they connect or listen.
 *
 * @module
 */
import type { Socket, SocketType } from "../sys/socket.ts";
import { connectPatiently } from "./connect_timeout.ts";
import type { Peer } from "./peer.ts";
import type { Vsock } from "./vsock.ts";

interface Sides {
  readonly vsock: Vsock;
  readonly peer: Peer;
}
type Prepare = (socket: Socket) => void;

/** Like {@linkcode Vsock.connect}, but with a prepared socket. */
export async function connectWith(
  { vsock, peer }: Sides,
  type: SocketType,
  prepare: Prepare,
): Promise<Socket> {
  await peer.expectln("LISTENING");
  const socket = vsock.open(type);
  prepare(socket);
  connectPatiently(socket);
  await socket.connect(vsock.peerAddress());
  return socket;
}

/**
 * Accepts one connection of a listener that was prepared before it listened, then closes the
 * listener. The connection is closed with the case's other sockets, or by its user.
 */
export async function acceptWith(
  { vsock, peer }: Sides,
  type: SocketType,
  prepare: Prepare,
): Promise<Socket> {
  using listener = vsock.bound(type);
  prepare(listener);
  listener.listen(1);
  await peer.writeln("LISTENING");
  return (await listener.accept()).socket;
}
