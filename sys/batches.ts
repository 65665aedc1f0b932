/**
 * Several messages in one call: sendmmsg(2) and recvmmsg(2).
 *
 * @module
 */
import { messageFlags } from "./constants.ts";
import type { Socket } from "./socket.ts";
import { type Bytes, bytes, messageHeader } from "./structs.ts";

/** struct mmsghdr: a struct msghdr, and what came of it. */
const MMSGHDR_SIZE = 64;
/** Offset of msg_flags in it. */
const FLAGS_OFFSET = 48;
/** Offset of msg_len in it. */
const LENGTH_OFFSET = 56;

/** What recvmmsg(2) says of one message. */
export interface BatchedMessage {
  /** msg_len. */
  readonly length: number;
  /** msg_flags. */
  readonly flags: number;
}

/** The headers, and what they point to. */
function batchOf(buffers: readonly Bytes[]) {
  const headers = buffers.map((buffer) => messageHeader([buffer]));
  const batch = bytes(buffers.length * MMSGHDR_SIZE);
  headers.forEach((header, i) => batch.set(header.bytes, i * MMSGHDR_SIZE));
  return { batch, headers };
}

function outcomes(batch: Bytes, count: number): BatchedMessage[] {
  const view = new DataView(batch.buffer);
  return Array.from({ length: count }, (_, i) => ({
    length: view.getUint32(i * MMSGHDR_SIZE + LENGTH_OFFSET, true),
    flags: view.getInt32(i * MMSGHDR_SIZE + FLAGS_OFFSET, true),
  }));
}

async function transfer(
  symbol: "sendmmsg" | "recvmmsg",
  socket: Socket,
  buffers: readonly Bytes[],
  flags: number,
): Promise<BatchedMessage[]> {
  const { batch, headers } = batchOf(buffers);
  const shown = `${buffers.length} messages, ${messageFlags(flags)}`;
  const { result } = await socket.callBlocking(symbol, shown, batch, buffers.length, flags, null);
  // The call reads what the headers point to, so they live until it has ended.
  return headers.length === 0 ? [] : outcomes(batch, result);
}

/**
 * sendmmsg(2): a message for each buffer.
 *
 * @returns the messages that were sent, with how much of each.
 */
export function sendmmsg(
  socket: Socket,
  messages: readonly Bytes[],
  flags = 0,
): Promise<BatchedMessage[]> {
  return transfer("sendmmsg", socket, messages, flags);
}

/**
 * recvmmsg(2), without a time: a buffer for each message.
 *
 * @returns the messages that came.
 */
export function recvmmsg(
  socket: Socket,
  buffers: readonly Bytes[],
  flags = 0,
): Promise<BatchedMessage[]> {
  return transfer("recvmmsg", socket, buffers, flags);
}
