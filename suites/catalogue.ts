/**
 * The catalogue: every case, once, in the order in which they run.
 *
 * @module
 */
import {
  seqpacketAnyPort,
  seqpacketEachLocalCid,
  seqpacketForeignCid,
  seqpacketReservedPort,
  seqpacketTwice,
  seqpacketUnknownFlag,
  streamAnyPort,
  streamEachLocalCid,
  streamForeignCid,
  streamReservedPort,
  streamTwice,
  streamUnknownFlag,
} from "./addressing/bind.ts";
import {
  seqpacketFromBound,
  seqpacketFromOther,
  streamFromBound,
  streamFromOther,
} from "./addressing/connect.ts";
import {
  seqpacketFallback,
  seqpacketNobody,
  seqpacketOwnCid,
  seqpacketToHost,
  streamFallback,
  streamNobody,
  streamOwnCid,
  streamToHost,
} from "./addressing/destination.ts";
import { namesOwnCid, refusesWrongRequests } from "./addressing/device.ts";
import { seqpacketByCid, streamByCid } from "./addressing/listen.ts";
import {
  seqpacketConnected,
  seqpacketUnconnected,
  streamConnected,
  streamUnconnected,
} from "./addressing/names.ts";
import { seqpacketFreed, seqpacketPairs, streamFreed, streamPairs } from "./addressing/ports.ts";
import { listsConnection, listsListener, listsNoSocket } from "./diag/dump.ts";
import type { ConformanceCase } from "./kit.ts";
import { seqpacketUnread, streamUnread } from "./ioctl/siocinq.ts";
import { seqpacketUnsent, streamUnsent } from "./ioctl/siocoutq.ts";
import {
  listedOnce,
  seqpacketEachAtOnce,
  seqpacketStaysHere,
  streamEachAtOnce,
  streamStaysHere,
} from "./multi-device/cids.ts";
import {
  seqpacketBound,
  seqpacketSamePort,
  seqpacketUnbound,
  streamBound,
  streamSamePort,
  streamUnbound,
} from "./multi-device/connect.ts";
import {
  hundredOverAll,
  hundredOverAllAccepted,
  seqpacketBounds,
  seqpacketBoundsAccepted,
  stallsAlone,
  stallsAloneAccepted,
  zerocopyEach,
  zerocopyEachAccepted,
} from "./multi-device/data.ts";
import { seqpacketAtAny, seqpacketAtOne, streamAtAny, streamAtOne } from "./multi-device/listen.ts";
import { secondIsBusy } from "./multi-device/stock.ts";
import {
  defaultOfClient,
  defaultOfServer,
  lastOfClient,
  lastOfServer,
} from "./multi-device/unplug.ts";
import { foundFrom, sameCidTwice } from "./namespaces/cid.ts";
import {
  connectionOutlives,
  globalMissesLocal,
  globalReachesGlobal,
  localMissesGlobal,
  localMissesLocal,
  localReachesItself,
  portsOfNamespaces,
  seqpacketInLocal,
} from "./namespaces/loopback.ts";
import {
  childInherits,
  childModeIsWrittenOnce,
  localStaysLocal,
  modeIsReadOnly,
} from "./namespaces/mode.ts";
import { clientInGlobal, clientInLocal, serverInGlobal, serverInLocal } from "./namespaces/peer.ts";
import { largerThanBuffer } from "./seqpacket/big_message.ts";
import { messageBounds } from "./seqpacket/bounds.ts";
import { msgPeek as seqpacketMsgPeek } from "./seqpacket/msg_peek.ts";
import { msgTruncReturnsRealLength } from "./seqpacket/msg_trunc.ts";
import { rcvtimeoEndsRead } from "./seqpacket/rcvtimeo.ts";
import { holeDropsOneMessage, nullDropsMessage } from "./seqpacket/receive_buffer.ts";
import { onAcceptedSocket } from "./sockopt/zerocopy.ts";
import { closedAllTheTime, closeWhileConnecting } from "./stream/accept_queue.ts";
import { clientClose, serverClose, unreadLeavesNothing } from "./stream/close.ts";
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
import {
  interruptedConnect,
  refusedAfterInterruptedConnect,
  releaseOfUnboundSocket,
} from "./transport/change.ts";
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
  unreadLeavesNothing,
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
  closedAllTheTime,
  closedUnread,
  unreadLeaksNothing,
  withoutOptmem,
  releaseOfUnboundSocket,
  retryAfterFailure,
  closeAtOnce,
  unreadIsNotUnsent,
  interruptedConnect,
  refusedAfterInterruptedConnect,
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
  streamEachLocalCid,
  seqpacketEachLocalCid,
  streamForeignCid,
  seqpacketForeignCid,
  streamTwice,
  seqpacketTwice,
  streamUnknownFlag,
  seqpacketUnknownFlag,
  streamAnyPort,
  seqpacketAnyPort,
  streamReservedPort,
  seqpacketReservedPort,
  streamPairs,
  seqpacketPairs,
  streamFreed,
  seqpacketFreed,
  streamUnconnected,
  seqpacketUnconnected,
  streamConnected,
  seqpacketConnected,
  streamByCid,
  seqpacketByCid,
  streamFromBound,
  seqpacketFromBound,
  streamFromOther,
  seqpacketFromOther,
  streamOwnCid,
  seqpacketOwnCid,
  streamNobody,
  seqpacketNobody,
  streamToHost,
  seqpacketToHost,
  streamFallback,
  seqpacketFallback,
  namesOwnCid,
  refusesWrongRequests,
  modeIsReadOnly,
  childModeIsWrittenOnce,
  childInherits,
  localStaysLocal,
  globalReachesGlobal,
  globalMissesLocal,
  localMissesGlobal,
  localMissesLocal,
  localReachesItself,
  seqpacketInLocal,
  portsOfNamespaces,
  connectionOutlives,
  sameCidTwice,
  foundFrom,
  clientInGlobal,
  clientInLocal,
  serverInGlobal,
  serverInLocal,
  listedOnce,
  streamEachAtOnce,
  seqpacketEachAtOnce,
  streamStaysHere,
  seqpacketStaysHere,
  streamUnbound,
  seqpacketUnbound,
  streamBound,
  seqpacketBound,
  streamSamePort,
  seqpacketSamePort,
  streamAtOne,
  seqpacketAtOne,
  streamAtAny,
  seqpacketAtAny,
  seqpacketBounds,
  zerocopyEach,
  stallsAlone,
  hundredOverAll,
  seqpacketBoundsAccepted,
  zerocopyEachAccepted,
  stallsAloneAccepted,
  hundredOverAllAccepted,
  lastOfClient,
  defaultOfClient,
  lastOfServer,
  defaultOfServer,
  secondIsBusy,
];

/** The case of that id. */
export function findCase(id: string): ConformanceCase | undefined {
  return CATALOGUE.find((definition) => definition.id === id);
}
