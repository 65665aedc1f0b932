/**
 * Where a measurement takes place: the sockets of its two ends, made and prepared.
 *
 * @module
 */
import {
  AF_VSOCK,
  SO_RCVBUF,
  SO_SNDBUF,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  SOL_SOCKET,
  VMADDR_CID_ANY,
} from "../sys/constants.ts";
import { Socket, type SocketType } from "../sys/socket.ts";
import type { AddressFamily } from "../sys/structs.ts";

/** The sockets of a measurement, and their port. */
export interface Endpoint {
  readonly family: AddressFamily;
  readonly type: SocketType;
  readonly port: number;
}

/** A socket that listens there, on every CID of this machine. */
export function listenAt({ family, type, port }: Endpoint, backlog: number): Socket {
  const socket = Socket.open(family, type);
  try {
    socket.bind({ cid: VMADDR_CID_ANY, port });
    socket.listen(backlog);
    return socket;
  } catch (error) {
    socket[Symbol.dispose]();
    throw error;
  }
}

/**
 * A socket connected to that place on a machine.
 *
 * @param milliseconds how long connect(2) may block.
 */
export async function connectTo(
  { family, type, port }: Endpoint,
  cid: number,
  milliseconds: number,
): Promise<Socket> {
  const socket = Socket.open(family, type, { signal: AbortSignal.timeout(milliseconds) });
  try {
    await socket.connect({ cid, port });
    return socket;
  } catch (error) {
    socket[Symbol.dispose]();
    throw error;
  }
}

/** Gives a socket buffers of this size, as its family has them. */
export function setBuffers(socket: Socket, size: number): void {
  if (socket.family.domain === AF_VSOCK) {
    for (const option of [SO_VM_SOCKETS_BUFFER_MAX_SIZE, SO_VM_SOCKETS_BUFFER_SIZE]) {
      socket.setU64(AF_VSOCK, option, BigInt(size));
    }
  } else {
    for (const option of [SO_SNDBUF, SO_RCVBUF]) socket.setInt(SOL_SOCKET, option, size);
  }
}
