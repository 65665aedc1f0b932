/**
 * What a client of `perf echo` says first on each connection, so that the server need not be told.
 * 8 bytes, little-endian: the size of a request, and how many connections there will be.
 *
 * @module
 */
import { type Bytes, bytes } from "../sys/structs.ts";
import { PeerError } from "./fast_socket.ts";

/** Size of an encoded greeting, in bytes. */
export const GREETING_SIZE = 8;
/** The largest request, in bytes. */
export const MAX_REQUEST = 64 * 1024 * 1024;
/** The largest request where there are several connections: both ends' buffers must have room. */
export const MAX_SHARED_REQUEST = 64 * 1024;
/** The most connections of one client. */
export const MAX_CONNECTIONS = 1024;

/** What follows on a connection. */
export interface Greeting {
  /** The size of each request, and of each answer, in bytes. */
  readonly size: number;
  /** How many connections the client makes before its first request. */
  readonly connections: number;
}

/** The bytes of a greeting. */
export function encodeGreeting({ size, connections }: Greeting): Bytes {
  const encoded = bytes(GREETING_SIZE);
  const view = new DataView(encoded.buffer);
  view.setUint32(0, size, true);
  view.setUint32(4, connections, true);
  return encoded;
}

/**
 * Reads a greeting.
 *
 * @throws {PeerError} where it asks for what no client of ours does.
 */
export function decodeGreeting(encoded: Bytes): Greeting {
  const view = new DataView(encoded.buffer, encoded.byteOffset);
  const size = view.getUint32(0, true);
  const connections = view.getUint32(4, true);
  const most = connections === 1 ? MAX_REQUEST : MAX_SHARED_REQUEST;
  if (size < 1 || size > most || connections < 1 || connections > MAX_CONNECTIONS) {
    throw new PeerError(
      `Cannot answer ${connections} connections with requests of ${size} bytes: is the client ` +
        '"perf latency"?',
    );
  }
  return { size, connections };
}
