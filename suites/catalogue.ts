/**
 * The catalogue: every case, once, in the order in which they run.
 *
 * @module
 */
import { listsConnection, listsListener, listsNoSocket } from "./diag/dump.ts";
import type { ConformanceCase } from "./kit.ts";
import { seqpacketUnread, streamUnread } from "./ioctl/siocinq.ts";
import { seqpacketUnsent, streamUnsent } from "./ioctl/siocoutq.ts";
import { largerThanBuffer } from "./seqpacket/big_message.ts";
import { messageBounds } from "./seqpacket/bounds.ts";
import { msgPeek as seqpacketMsgPeek } from "./seqpacket/msg_peek.ts";
import { msgTruncReturnsRealLength } from "./seqpacket/msg_trunc.ts";
import { rcvtimeoEndsRead } from "./seqpacket/rcvtimeo.ts";
import { holeDropsOneMessage, nullDropsMessage } from "./seqpacket/receive_buffer.ts";
import { onAcceptedSocket } from "./sockopt/zerocopy.ts";
import { closeWhileConnecting } from "./stream/accept_queue.ts";
import { clientClose, serverClose } from "./stream/close.ts";
import {
  manyConnections,
  refusedByBoundSocket,
  refusedWithoutSocket,
  retryAfterFailure,
  samePortAgain,
} from "./stream/connect.ts";
import { boundByOwnBuffer, updateOnLowBytes, updateOnRcvlowat } from "./stream/credit.ts";
import { closeAtOnce, unreadIsNotUnsent } from "./stream/linger.ts";
import { msgPeek as streamMsgPeek, peekAfterPartialRecv } from "./stream/msg_peek.ts";
import { joinedAfterPartialRead, smallOnesFillNoMemory } from "./stream/packets.ts";
import { pollWaitsForLowWater } from "./stream/rcvlowat.ts";
import { nullKeepsData } from "./stream/receive_buffer.ts";
import { ownWrite, peersRead } from "./stream/shutdown.ts";
import { interruptedConnect, releaseOfUnboundSocket } from "./transport/change.ts";
import { sendmsgArrives, sendmsgZcArrives } from "./uring/stream.ts";
import { keepsDataBehindCopy } from "./zerocopy/coalescence.ts";
import { closedUnread, emptyIsEagain, unreadLeaksNothing } from "./zerocopy/error_queue.ts";
import { withoutOptmem } from "./zerocopy/memory.ts";
import { seqpacketCompletes, streamCompletes } from "./zerocopy/send.ts";

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
  pollWaitsForLowWater,
  largerThanBuffer,
  nullKeepsData,
  nullDropsMessage,
  joinedAfterPartialRead,
  seqpacketMsgPeek,
  ownWrite,
  peersRead,
  streamCompletes,
  seqpacketCompletes,
  emptyIsEagain,
  samePortAgain,
  updateOnRcvlowat,
  updateOnLowBytes,
  streamUnsent,
  seqpacketUnsent,
  closeWhileConnecting,
  closedUnread,
  unreadLeaksNothing,
  withoutOptmem,
  releaseOfUnboundSocket,
  retryAfterFailure,
  closeAtOnce,
  unreadIsNotUnsent,
  interruptedConnect,
  streamUnread,
  seqpacketUnread,
  onAcceptedSocket,
  keepsDataBehindCopy,
  boundByOwnBuffer,
  peekAfterPartialRecv,
  smallOnesFillNoMemory,
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
