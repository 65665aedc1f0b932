/**
 * For how long connect() waits for an answer: the kernel's own 2 s are too long for one that is not
 * waited for, and too short for a machine that stands still now and then.
 *
 * @module
 */
import { AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT } from "../sys/constants.ts";
import type { Socket } from "../sys/socket.ts";

/** How long a connect() in the background goes on, in milliseconds. */
const BACKGROUND_TIME = 10;
/** How long one goes on that is to be answered, in milliseconds: less than a case may take. */
const PATIENT_TIME = 8000;

/**
 * Makes connect() not wait for the answer. The kernel then keeps the socket, closed or not, until
 * the time of its connect() is over, which is 2 s unless it is told otherwise.
 */
export function connectInBackground(socket: Socket): void {
  socket.setNonblocking();
  setConnectTime(socket, BACKGROUND_TIME);
}

/**
 * Makes connect() wait for a peer whose machine does not run for some seconds. Where that is not
 * what a case is about, its ETIMEDOUT would say nothing of the peer.
 */
export function connectPatiently(socket: Socket): void {
  setConnectTime(socket, PATIENT_TIME);
}

function setConnectTime(socket: Socket, milliseconds: number): void {
  if (socket.family.domain !== AF_VSOCK) return;
  socket.setTimeval(AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, milliseconds);
}
