/**
 * The catalogue: every case, once, in the order in which they run.
 *
 * @module
 */
import type { ConformanceCase } from "../kit/mod.ts";
import { cases as addressingBind } from "./addressing/bind.ts";
import { cases as addressingConnect } from "./addressing/connect.ts";
import { cases as addressingDestination } from "./addressing/destination.ts";
import { cases as addressingDevice } from "./addressing/device.ts";
import { cases as addressingListen } from "./addressing/listen.ts";
import { cases as addressingNames } from "./addressing/names.ts";
import { cases as addressingPorts } from "./addressing/ports.ts";
import { cases as diagDump } from "./diag/dump.ts";
import { cases as ioctlSiocinq } from "./ioctl/siocinq.ts";
import { cases as ioctlSiocoutq } from "./ioctl/siocoutq.ts";
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
import { cases as seqpacketBigMessage } from "./seqpacket/big_message.ts";
import { cases as seqpacketBounds } from "./seqpacket/bounds.ts";
import { cases as seqpacketMsgPeek } from "./seqpacket/msg_peek.ts";
import { cases as seqpacketMsgTrunc } from "./seqpacket/msg_trunc.ts";
import { cases as seqpacketRcvtimeo } from "./seqpacket/rcvtimeo.ts";
import { cases as seqpacketReceiveBuffer } from "./seqpacket/receive_buffer.ts";
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
  ...addressingBind,
  ...addressingConnect,
  ...addressingDestination,
  ...addressingDevice,
  ...addressingListen,
  ...addressingNames,
  ...addressingPorts,
  ...diagDump,
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
];

/** The case with that id. */
export function findCase(id: string): ConformanceCase | undefined {
  return CATALOGUE.find((definition) => definition.id === id);
}
