/**
 * Sets how long connect() waits for an answer: the kernel's default of 2 s is too long if the case
 * does not wait for it, and too short for a machine that occasionally stalls.
 *
 * @module
 */
import { AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT } from "../sys/constants.ts";
import type { Socket } from "../sys/socket.ts";

/** The timeout of a connect() in the background, in milliseconds. */
const BACKGROUND_TIME = 10;
/** The timeout of a connect() that should be answered, in milliseconds: less than a case's. */
const PATIENT_TIME = 8000;

/**
 * Makes connect() return without waiting for the answer. The kernel then keeps the socket, even if
 * it is closed, until the connect timeout, which is 2 s by default.
 */
export function connectInBackground(socket: Socket): void {
  socket.setNonblocking();
  setConnectTime(socket, BACKGROUND_TIME);
}

/**
 * Makes connect() wait for a peer whose machine stalls for some seconds. Unless the case is about
 * timeouts, ETIMEDOUT would say nothing about the peer.
 */
export function connectPatiently(socket: Socket): void {
  setConnectTime(socket, PATIENT_TIME);
}

function setConnectTime(socket: Socket, milliseconds: number): void {
  if (socket.family.domain !== AF_VSOCK) return;
  socket.setTimeval(AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, milliseconds);
}
