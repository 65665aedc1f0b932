/**
 * The catalogue: every case, once, in the order in which they run.
 *
 * @module
 */
import { type ConformanceCase, defineCase } from "../kit/mod.ts";
import { cases as acceptInherits } from "./accept/inherits.ts";
import { cases as acceptQueue } from "./accept/queue.ts";
import { cases as acceptState } from "./accept/state.ts";
import { cases as acceptWait } from "./accept/wait.ts";
import { cases as addressingBind } from "./addressing/bind.ts";
import { cases as addressingConnect } from "./addressing/connect.ts";
import { cases as addressingDestination } from "./addressing/destination.ts";
import { cases as addressingDevice } from "./addressing/device.ts";
import { cases as addressingListen } from "./addressing/listen.ts";
import { cases as addressingNames } from "./addressing/names.ts";
import { cases as addressingPorts } from "./addressing/ports.ts";
import { cases as bpfSockmap } from "./bpf/sockmap.ts";
import { cases as closeAgain } from "./close/again.ts";
import { cases as closeData } from "./close/data.ts";
import { cases as connectBacklog } from "./connect/backlog.ts";
import { cases as connectNonblocking } from "./connect/nonblocking.ts";
import { cases as connectRefused } from "./connect/refused.ts";
import { cases as connectRepeated } from "./connect/repeated.ts";
import { cases as connectState } from "./connect/state.ts";
import { cases as connectTimeout } from "./connect/timeout.ts";
import { cases as deviceCalls } from "./device/calls.ts";
import { cases as deviceVhost } from "./device/vhost.ts";
import { cases as diagDump } from "./diag/dump.ts";
import { cases as diagRequests } from "./diag/requests.ts";
import { cases as errorsCalls } from "./errors/calls.ts";
import { cases as errorsMemory } from "./errors/memory.ts";
import { cases as eventsBlocked } from "./events/blocked.ts";
import { cases as eventsEpoll } from "./events/epoll.ts";
import { cases as eventsPoll } from "./events/poll.ts";
import { cases as exploredCalls } from "./explored/calls.ts";
import { cases as flowConnections } from "./flow/connections.ts";
import { cases as flowCredit } from "./flow/credit.ts";
import { cases as flowCreditKept } from "./flow/credit_kept.ts";
import { cases as flowData } from "./flow/data.ts";
import { cases as flowDataCalls } from "./flow/data_calls.ts";
import { cases as flowLong } from "./flow/long.ts";
import { cases as flowWindow } from "./flow/window.ts";
import { cases as halfCloseDirections } from "./half-close/directions.ts";
import { cases as hybridConnect } from "./hybrid/connect.ts";
import { cases as ioctlSiocinq } from "./ioctl/siocinq.ts";
import { cases as ioctlSiocoutq } from "./ioctl/siocoutq.ts";
import { cases as messagesMany } from "./messages/many.ts";
import { cases as messagesRecords } from "./messages/records.ts";
import { cases as messagesTorn } from "./messages/torn.ts";
import { cases as messagesTruncated } from "./messages/truncated.ts";
import { cases as messagesWaitall } from "./messages/waitall.ts";
import { cases as multiDeviceCids } from "./multi-device/cids.ts";
import { cases as multiDeviceConnect } from "./multi-device/connect.ts";
import { cases as multiDeviceData } from "./multi-device/data.ts";
import { cases as multiDeviceListen } from "./multi-device/listen.ts";
import { cases as multiDeviceStock } from "./multi-device/stock.ts";
import { cases as multiDeviceUnplug } from "./multi-device/unplug.ts";
import { cases as namespacesCid } from "./namespaces/cid.ts";
import { cases as namespacesLoopback } from "./namespaces/loopback.ts";
import { cases as namespacesMode } from "./namespaces/mode.ts";
import { cases as namespacesPeer } from "./namespaces/peer.ts";
import { cases as optionsBuffers } from "./options/buffers.ts";
import { cases as optionsConnectTimeout } from "./options/connect_timeout.ts";
import { cases as optionsMemory } from "./options/memory.ts";
import { cases as optionsRcvlowat } from "./options/rcvlowat.ts";
import { cases as optionsSocket } from "./options/socket.ts";
import { cases as seqpacketBigMessage } from "./seqpacket/big_message.ts";
import { cases as seqpacketBounds } from "./seqpacket/bounds.ts";
import { cases as seqpacketMsgPeek } from "./seqpacket/msg_peek.ts";
import { cases as seqpacketMsgTrunc } from "./seqpacket/msg_trunc.ts";
import { cases as seqpacketRcvtimeo } from "./seqpacket/rcvtimeo.ts";
import { cases as seqpacketReceiveBuffer } from "./seqpacket/receive_buffer.ts";
import { cases as signalsCalls } from "./signals/calls.ts";
import { cases as signalsConnect } from "./signals/connect.ts";
import { cases as socketsCreate } from "./sockets/create.ts";
import { cases as socketsNames } from "./sockets/names.ts";
import { cases as sockoptZerocopy } from "./sockopt/zerocopy.ts";
import { cases as streamAcceptQueue } from "./stream/accept_queue.ts";
import { cases as streamClose } from "./stream/close.ts";
import { cases as streamConnect } from "./stream/connect.ts";
import { cases as streamCredit } from "./stream/credit.ts";
import { cases as streamLinger } from "./stream/linger.ts";
import { cases as streamMsgPeek } from "./stream/msg_peek.ts";
import { cases as streamPackets } from "./stream/packets.ts";
import { cases as streamRcvlowat } from "./stream/rcvlowat.ts";
import { cases as streamReceiveBuffer } from "./stream/receive_buffer.ts";
import { cases as streamShutdown } from "./stream/shutdown.ts";
import { cases as transportChange } from "./transport/change.ts";
import { cases as uringStream } from "./uring/stream.ts";
import { cases as wireAddresses } from "./wire/addresses.ts";
import { cases as wireConnection } from "./wire/connection.ts";
import { cases as wireCredit } from "./wire/credit.ts";
import { cases as wireDevice } from "./wire/device.ts";
import { cases as wireHostile } from "./wire/hostile.ts";
import { cases as wireLayout } from "./wire/layout.ts";
import { cases as wireMessage } from "./wire/message.ts";
import { cases as wireQueue } from "./wire/queue.ts";
import { cases as wireRefusal } from "./wire/refusal.ts";
import { cases as wireShutdown } from "./wire/shutdown.ts";
import { cases as zerocopyCoalescence } from "./zerocopy/coalescence.ts";
import { cases as zerocopyErrorQueue } from "./zerocopy/error_queue.ts";
import { cases as zerocopyMemory } from "./zerocopy/memory.ts";
import { cases as zerocopySend } from "./zerocopy/send.ts";

/** Every case, family by family. Only ids are stable, not positions in this list. */
export const CATALOGUE: readonly ConformanceCase[] = [
  ...streamConnect,
  ...streamAcceptQueue,
  ...streamClose,
  ...streamShutdown,
  ...streamLinger,
  ...streamMsgPeek,
  ...streamRcvlowat,
  ...streamReceiveBuffer,
  ...streamCredit,
  ...streamPackets,
  ...seqpacketBounds,
  ...seqpacketMsgTrunc,
  ...seqpacketRcvtimeo,
  ...seqpacketMsgPeek,
  ...seqpacketReceiveBuffer,
  ...seqpacketBigMessage,
  ...ioctlSiocinq,
  ...ioctlSiocoutq,
  ...sockoptZerocopy,
  ...zerocopyCoalescence,
  ...zerocopyErrorQueue,
  ...zerocopyMemory,
  ...zerocopySend,
  ...uringStream,
  ...transportChange,
  ...socketsCreate,
  ...socketsNames,
  ...connectNonblocking,
  ...connectTimeout,
  ...connectState,
  ...connectRefused,
  ...connectBacklog,
  ...connectRepeated,
  ...acceptState,
  ...acceptWait,
  ...acceptInherits,
  ...acceptQueue,
  ...optionsSocket,
  ...optionsBuffers,
  ...optionsConnectTimeout,
  ...optionsRcvlowat,
  ...optionsMemory,
  ...errorsCalls,
  ...errorsMemory,
  ...deviceCalls,
  ...deviceVhost,
  ...addressingBind,
  ...addressingConnect,
  ...addressingDestination,
  ...addressingDevice,
  ...addressingListen,
  ...addressingNames,
  ...addressingPorts,
  ...diagDump,
  ...diagRequests,
  ...flowWindow,
  ...flowCredit,
  ...flowCreditKept,
  ...flowData,
  ...flowDataCalls,
  ...exploredCalls,
  ...flowConnections,
  ...flowLong,
  ...messagesRecords,
  ...messagesTruncated,
  ...messagesWaitall,
  ...messagesMany,
  ...messagesTorn,
  ...halfCloseDirections,
  ...hybridConnect,
  ...bpfSockmap,
  ...closeData,
  ...closeAgain,
  ...eventsPoll,
  ...eventsEpoll,
  ...eventsBlocked,
  ...signalsCalls,
  ...signalsConnect,
  ...namespacesCid,
  ...namespacesLoopback,
  ...namespacesMode,
  ...namespacesPeer,
  ...multiDeviceCids,
  ...multiDeviceConnect,
  ...multiDeviceData,
  ...multiDeviceListen,
  ...multiDeviceStock,
  ...multiDeviceUnplug,
  ...wireRefusal,
  ...wireAddresses,
  ...wireLayout,
  ...wireConnection,
  ...wireCredit,
  ...wireShutdown,
  ...wireMessage,
  ...wireQueue,
  ...wireDevice,
  ...wireHostile,
];

/** Cases that were added to those of this file, in this process. */
const added: ConformanceCase[] = [];

/** The catalogue's cases, then those that were added in this process. */
export function allCases(): readonly ConformanceCase[] {
  return [...CATALOGUE, ...added];
}

/**
 * Adds cases of somebody else's in this process.
 *
 * @throws {TypeError} where one is not of the right form, or its id is taken.
 */
export function addCases(cases: readonly ConformanceCase[]): void {
  for (const definition of cases) {
    if (typeof definition?.client !== "function") throw new TypeError("one has no client");
    defineCase(definition);
    if (findCase(definition.id) !== undefined) {
      throw new TypeError(`there is a case ${definition.id} already; give it another id`);
    }
    added.push(definition);
  }
}

/** The case with that id. */
export function findCase(id: string): ConformanceCase | undefined {
  return allCases().find((definition) => definition.id === id);
}
