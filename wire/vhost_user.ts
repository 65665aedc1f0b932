/**
 * Messages of vhost-user, by which a VMM hands a device's queues to another process over a Unix
 * socket: a header, a payload, and descriptors beside it.
 *
 * Source: the specification in QEMU's documentation, docs/interop/vhost-user.rst.
 *
 * @module
 */
import { SOL_SOCKET } from "../sys/constants.ts";
import type { Socket } from "../sys/socket.ts";
import { type Bytes, bytes, controlSpace, encodeControlMessages } from "../sys/structs.ts";

/** Requests of the front end, which is the VMM. */
export const REQUEST = {
  GET_FEATURES: 1,
  SET_FEATURES: 2,
  SET_OWNER: 3,
  SET_MEM_TABLE: 5,
  SET_VRING_NUM: 8,
  SET_VRING_ADDR: 9,
  SET_VRING_BASE: 10,
  GET_VRING_BASE: 11,
  SET_VRING_KICK: 12,
  SET_VRING_CALL: 13,
  SET_VRING_ERR: 14,
  GET_PROTOCOL_FEATURES: 15,
  SET_PROTOCOL_FEATURES: 16,
  GET_QUEUE_NUM: 17,
  SET_VRING_ENABLE: 18,
  GET_CONFIG: 24,
  SET_CONFIG: 25,
} as const;

/** The feature bit that says that there are protocol features, and two of these. */
export const F_PROTOCOL_FEATURES = 1n << 30n;
export const PROTOCOL_REPLY_ACK = 1n << 3n;
export const PROTOCOL_CONFIG = 1n << 9n;

/** Flags of a header: the version, that it is a reply, and that one is wanted. */
const VERSION = 1;
export const FLAG_REPLY = 4;
export const FLAG_NEED_REPLY = 8;

/** The low byte of what SET_VRING_KICK and the like bring is the queue; this bit: no descriptor. */
export const VRING_NO_FD = 0x100n;

const HEADER = 12;
const SCM_RIGHTS = 1;
/** Descriptors that come with one message at most: a region of memory has one. */
const MAX_FDS = 8;
/** Bytes of a payload at most: that of a table of so many regions is the largest. */
const MAX_PAYLOAD = 4096;

/** A message. */
export interface VhostUserMessage {
  readonly request: number;
  readonly flags: number;
  readonly payload: Bytes;
  /** Descriptors that belong to whoever receives them. */
  readonly fds: readonly number[];
}

/** What came is no message of vhost-user. */
export class VhostUserError extends Error {
  /** Tells it from other errors. */
  override readonly name = "VhostUserError";
}

/** Sends a message. */
export async function sendMessage(
  socket: Socket,
  { request, flags, payload, fds }: VhostUserMessage,
): Promise<void> {
  const data = bytes(HEADER + payload.length);
  const view = new DataView(data.buffer);
  view.setUint32(0, request, true);
  view.setUint32(4, flags | VERSION, true);
  view.setUint32(8, payload.length, true);
  data.set(payload, HEADER);
  const rights = new Uint8Array(Int32Array.from(fds).buffer);
  const message = { level: SOL_SOCKET, type: SCM_RIGHTS, data: rights };
  const control = fds.length === 0 ? undefined : encodeControlMessages([message]);
  const sent = await socket.sendmsg([data], 0, control);
  if (sent !== data.length) throw new VhostUserError(`${sent} bytes of ${data.length} were sent`);
}

/**
 * Receives a message; undefined at the end.
 *
 * @throws {VhostUserError} where what comes is none.
 */
export async function receiveMessage(socket: Socket): Promise<VhostUserMessage | undefined> {
  const header = bytes(HEADER);
  const { length, control } = await socket.recvmsg([header], 0, bytes(controlSpace(4 * MAX_FDS)));
  if (length === 0) return undefined;
  const fds = control.flatMap(({ level, type, data }) =>
    level === SOL_SOCKET && type === SCM_RIGHTS ? [...new Int32Array(data.slice().buffer)] : []
  );
  if (length < HEADER) await receiveRest(socket, header.subarray(length));
  const view = new DataView(header.buffer);
  const size = view.getUint32(8, true);
  if (size > MAX_PAYLOAD) throw new VhostUserError(`a payload of ${size} bytes`);
  const payload = bytes(size);
  await receiveRest(socket, payload);
  return { request: view.getUint32(0, true), flags: view.getUint32(4, true), payload, fds };
}

async function receiveRest(socket: Socket, into: Bytes): Promise<void> {
  for (let at = 0; at < into.length;) {
    const count = await socket.recv(into.subarray(at));
    if (count === 0) throw new VhostUserError("the other side closed in the midst of a message");
    at += count;
  }
}

/** A 64-bit number as a payload. */
export function u64Payload(value: bigint): Bytes {
  return new Uint8Array(BigUint64Array.of(value).buffer);
}

/** Several 32-bit numbers as a payload, and 64-bit ones behind them. */
export function payloadOf(words: readonly number[], longs: readonly bigint[] = []): Bytes {
  const payload = bytes(4 * words.length + 8 * longs.length);
  const view = new DataView(payload.buffer);
  words.forEach((word, i) => view.setUint32(4 * i, word, true));
  longs.forEach((long, i) => view.setBigUint64(4 * words.length + 8 * i, long, true));
  return payload;
}
