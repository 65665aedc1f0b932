/**
 * Sockets over libc through FFI: AF_VSOCK, or AF_UNIX in its place. A call's result and its errno
 * come out of one native call.
 *
 * @example Receive a message, and an error that carries the call and the errno's name
 * ```ts
 * import { bytes, Socket, SysError, unixStandIn } from "@vsock/conformance/sys";
 *
 * // For AF_VSOCK itself: VSOCK.
 * const family = unixStandIn("example");
 * const address = { cid: 1, port: 1234 };
 *
 * using client = Socket.open(family, "stream");
 * try {
 *   await client.connect(address);
 * } catch (error) {
 *   if (!(error instanceof SysError)) throw error;
 *   console.log(error.code); // ECONNREFUSED
 * }
 *
 * using listener = Socket.open(family, "stream");
 * listener.bind(address);
 * listener.listen(1);
 * await client.connect(address);
 * const accepted = await listener.accept();
 * using server = accepted.socket;
 * await client.send(new TextEncoder().encode("hello"));
 * const into = bytes(16);
 * const length = await server.recv(into);
 * console.log(new TextDecoder().decode(into.subarray(0, length))); // hello
 * ```
 *
 * @module
 */
export * from "./constants.ts";
export { ERRNO_TABLE, errnoMeaning, type ErrnoName, errnoName, SysError } from "./errno.ts";
export { type ReceivedMessage, Socket, type SocketType } from "./socket.ts";
export {
  type Address,
  type AddressFamily,
  type Bytes,
  bytes,
  type ControlMessage,
  int,
  intOf,
  type IoVector,
  linger,
  timeval,
  u64,
  unixStandIn,
  VSOCK,
} from "./structs.ts";
export { localCids } from "./transports.ts";
