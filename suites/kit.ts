/**
 * The case kit: all that a case file imports.
 *
 * @module
 */
import { type Case, validateCase } from "../core/case.ts";
import type { Random } from "../core/random.ts";
import type { Claims } from "./kit/claims.ts";
import type { Peer } from "./kit/peer.ts";
import type { Vsock } from "./kit/vsock.ts";

export { kernel, man, proposal, type Role, spec, upstream } from "../core/case.ts";
export {
  AF_VSOCK,
  IOCTL_VM_SOCKETS_GET_LOCAL_CID,
  LAST_RESERVED_PORT,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_ERRQUEUE,
  MSG_NOSIGNAL,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_ZEROCOPY,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLRDHUP,
  POLLRDNORM,
  SHUT_RD,
  SHUT_WR,
  SIGPIPE,
  SIOCINQ,
  SIOCOUTQ,
  SO_LINGER,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  SO_VM_SOCKETS_CONNECT_TIMEOUT,
  SO_ZEROCOPY,
  SOCK_STREAM,
  SOL_SOCKET,
  VMADDR_CID_ANY,
  VMADDR_CID_HOST,
  VMADDR_CID_HYPERVISOR,
  VMADDR_CID_LOCAL,
  VMADDR_FLAG_TO_HOST,
  VMADDR_PORT_ANY,
} from "../sys/constants.ts";
export { CAP_NET_BIND_SERVICE, hasCapability, WithoutCapability } from "../sys/capabilities.ts";
export { SysError } from "../sys/errno.ts";
export { optmemMax } from "../sys/facts.ts";
export { timedSleep } from "../sys/native.ts";
export { Mapping, pageSize } from "../sys/memory.ts";
export { Urgency } from "../sys/scheduling.ts";
export type { NamespaceMode, NetNamespace } from "../sys/net_namespace.ts";
export { Alarm, SignalCounter } from "../sys/signals.ts";
export { TimedSysError } from "../sys/descriptor.ts";
export type { Claims } from "./kit/claims.ts";
export { Socket, type SocketType } from "../sys/socket.ts";
export { type Address, type Bytes, bytes } from "../sys/structs.ts";
export {
  ALL_STATES,
  type DiagSocket,
  TCP_CLOSE,
  TCP_ESTABLISHED,
  TCP_LISTEN,
} from "../sys/sock_diag.ts";
export { bindDevice } from "../sys/vsock_devices.ts";
export { BYTE } from "./kit/claims.ts";
export { describeSocket, newSockets } from "./kit/diag.ts";
export { djb2 } from "./kit/djb2.ts";
export { connectInBackground, connectPatiently } from "./kit/connecting.ts";
export { LOCAL_CIDS } from "./kit/features.ts";
export { connecting, forBothTypes } from "./kit/both_types.ts";
export { errorOf } from "./kit/errors.ts";
export type { Vsock } from "./kit/vsock.ts";
export {
  cidElsewhere,
  cidNowhere,
  errorsOfNobody,
  FOREIGN_CID,
  localCidsOf,
  type Machine,
  routeTo,
  transportCidsOf,
} from "./kit/place.ts";
export { receivesEndThroughRing, receiveThroughRing, sendThroughRing } from "./kit/uring.ts";
export type { Random } from "../core/random.ts";

/** What each side of a case is given. */
export interface CaseContext {
  /** Prepares sockets; what goes wrong there makes the case broken, not failed. */
  readonly vsock: Vsock;
  /** The other side, over the control channel. */
  readonly peer: Peer;
  /** Claims; what does not hold there makes the case fail. */
  readonly check: Claims;
  /** The same numbers on both sides, and again with `--seed`. */
  readonly random: Random;
}

/** A case of the catalogue. */
export type ConformanceCase = Case<CaseContext>;

/**
 * Defines a case; see docs/writing_a_case.md.
 *
 * @throws {TypeError} where its id, its requirement, its sources or what its sides do is not of the
 *   right form.
 */
export function defineCase(definition: ConformanceCase): ConformanceCase {
  validateCase(definition);
  return definition;
}
