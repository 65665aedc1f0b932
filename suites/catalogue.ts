/**
 * The catalogue: every case, once, in the order in which they run.
 *
 * @module
 */
import { listsConnection, listsListener, listsNoSocket } from "./diag/dump.ts";
import type { ConformanceCase } from "./kit.ts";
import { clientClose, serverClose } from "./stream/close.ts";
import { manyConnections, refusedByBoundSocket, refusedWithoutSocket } from "./stream/connect.ts";
import { msgPeek as streamMsgPeek } from "./stream/msg_peek.ts";
import { largerThanBuffer } from "./seqpacket/big_message.ts";
import { messageBounds } from "./seqpacket/bounds.ts";
import { msgPeek as seqpacketMsgPeek } from "./seqpacket/msg_peek.ts";
import { msgTruncReturnsRealLength } from "./seqpacket/msg_trunc.ts";
import { rcvtimeoEndsRead } from "./seqpacket/rcvtimeo.ts";
import { holeDropsOneMessage } from "./seqpacket/receive_buffer.ts";
import { sendmsgArrives, sendmsgZcArrives } from "./uring/stream.ts";

/** Every case. Ids, not places in this list, are what outlives a change. */
export const CATALOGUE: readonly ConformanceCase[] = [
  refusedWithoutSocket,
  refusedByBoundSocket,
  clientClose,
  serverClose,
  manyConnections,
  streamMsgPeek,
  messageBounds,
  msgTruncReturnsRealLength,
  rcvtimeoEndsRead,
  holeDropsOneMessage,
  largerThanBuffer,
  seqpacketMsgPeek,
  listsNoSocket,
  listsListener,
  listsConnection,
  sendmsgArrives,
  sendmsgZcArrives,
];

/** The case of that id. */
export function findCase(id: string): ConformanceCase | undefined {
  return CATALOGUE.find((definition) => definition.id === id);
}
