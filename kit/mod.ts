/**
 * The case kit: everything that a file of cases imports, see docs/writing_a_case.md.
 *
 * @example A file of cases, for `--cases`
 * ```ts
 * import { bytes, type ConformanceCase, defineCase, kernel, man } from "@vsock/conformance/kit";
 *
 * export const cases: readonly ConformanceCase[] = [
 *   defineCase({
 *     id: "example/send/arrives",
 *     title: "What is sent arrives",
 *     requirement: "send() MUST deliver every byte",
 *     refs: [man("send", 2, "DESCRIPTION"), kernel("vsock_connectible_sendmsg")],
 *     does: {
 *       client: "connects, and sends 3 bytes",
 *       server: "accepts, and checks that recv() gives 3 bytes",
 *     },
 *     async client({ vsock, check }) {
 *       using socket = await vsock.connect("stream");
 *       await check.sends(socket, bytes(3));
 *     },
 *     async server({ vsock, check }) {
 *       using socket = await vsock.accept("stream");
 *       await check.receives(socket, 3);
 *     },
 *   }),
 * ];
 * ```
 *
 * @module
 */
import { type Case, validateCase } from "../core/case.ts";
import type { Random } from "../core/random.ts";
import type { Check } from "./check.ts";
import type { Peer } from "./peer.ts";
import type { Vsock } from "./vsock.ts";

export { firecracker, kernel, man, proposal, type Role, spec, upstream } from "../core/case.ts";
export * from "../sys/constants.ts";
export { CAP_NET_BIND_SERVICE, hasCapability, WithoutCapability } from "../sys/capabilities.ts";
export { errnoMeaning, errnoName, SysError } from "../sys/errno.ts";
export { optmemMax } from "../sys/transports.ts";
export { readAnswer } from "../sys/hybrid.ts";
export { timedSleep } from "../sys/libc.ts";
export { Mapping, pageSize } from "../sys/memory.ts";
export { Urgency } from "../sys/scheduling.ts";
export type { NamespaceMode, NetNamespace } from "../sys/net_namespace.ts";
export { Alarm, SignalCounter } from "../sys/signals.ts";
export { TimedSysError } from "../sys/descriptor.ts";
export type { Check } from "./check.ts";
export { type RawMemory, Socket, type SocketType } from "../sys/socket.ts";
export {
  type Address,
  type Bytes,
  bytes,
  extendedError,
  int,
  intOf,
  timeval,
  u64,
} from "../sys/structs.ts";
export {
  ALL_STATES,
  type DiagSocket,
  type OddRequest,
  TCP_CLOSE,
  TCP_ESTABLISHED,
  TCP_LISTEN,
} from "../sys/sock_diag.ts";
export { NLM_F_REQUEST } from "../sys/netlink.ts";
export { bindDevice } from "../sys/virtio_devices.ts";
export { BYTE } from "./check.ts";
export { describeSocket, newSockets } from "./sock_diag.ts";
export { djb2 } from "./djb2.ts";
export { connectInBackground, connectPatiently } from "./connect_timeout.ts";
export { LOCAL_CIDS } from "./features.ts";
export { connecting, forBothTypes } from "./case_pairs.ts";
export { errorOf, errorOfBlocking } from "./errors.ts";
export { explores, type ExploringContext, isExplored, playsStory } from "./exploring.ts";
export { failsAfter } from "./timed.ts";
export { unansweredFrom } from "./unanswered.ts";
export type { Vsock } from "./vsock.ts";
export {
  cidElsewhere,
  cidNowhere,
  errorsOfNobody,
  FOREIGN_CID,
  localCidsOf,
  type Machine,
  routeTo,
  transportCidsOf,
} from "./machine.ts";
export { Blocked, INTERRUPT_SIGNAL } from "../sys/blocked.ts";
export { recvmmsg, sendmmsg } from "../sys/batches.ts";
export { Holder } from "../sys/child.ts";
export {
  EPOLLERR,
  EPOLLET,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLRDHUP,
} from "../sys/epoll.ts";
export { sendfile, splice } from "../sys/splice.ts";
export { acceptWith, connectWith } from "./prepared.ts";
export {
  fillAgain,
  fillWindow,
  isSame,
  readToEnd,
  receiveSlowly,
  seesEvents,
  WINDOW,
} from "./window.ts";
export type { Random } from "../core/random.ts";
export { until } from "../core/wait.ts";

/** What each side of a case receives. */
export interface CaseContext {
  /** Prepares sockets; an error here makes the case broken, not failed. */
  readonly vsock: Vsock;
  /** The other side, over the control channel. */
  readonly peer: Peer;
  /** Checks; a failed check makes the case fail. */
  readonly check: Check;
  /** Random numbers, the same on both sides and with the same `--seed`. */
  readonly random: Random;
}

/** A case of the catalogue. */
export type ConformanceCase = Case<CaseContext>;

/**
 * Defines a case; see docs/writing_a_case.md.
 *
 * @throws {TypeError} if its id, its requirement, its sources or the description of its sides is
 *   malformed.
 */
export function defineCase(definition: ConformanceCase): ConformanceCase {
  validateCase(definition);
  return definition;
}

export type { IoUring } from "../sys/io_uring.ts";
export { IORING_CQE_F_MORE, IORING_CQE_F_NOTIF, type RingCompletion } from "../sys/io_uring_abi.ts";
