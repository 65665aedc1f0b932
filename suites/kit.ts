/**
 * The case kit: all that a case file imports.
 *
 * @module
 */
import { type Case, type CaseInfo, validateCase } from "../core/case.ts";
import type { Random } from "../core/random.ts";
import type { Claims } from "./kit/claims.ts";
import type { Peer } from "./kit/peer.ts";
import type { Vsock } from "./kit/vsock.ts";

export { kernel, man, spec, upstream } from "../core/case.ts";
export {
  AF_VSOCK,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_PEEK,
  MSG_TRUNC,
  SO_RCVTIMEO,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  SOCK_STREAM,
  SOL_SOCKET,
  VMADDR_CID_ANY,
  VMADDR_CID_LOCAL,
} from "../sys/constants.ts";
export { timedSleep } from "../sys/native.ts";
export { Mapping, pageSize } from "../sys/memory.ts";
export { Socket, type SocketType, TimedSysError } from "../sys/socket.ts";
export { bytes } from "../sys/structs.ts";
export {
  ALL_STATES,
  type DiagSocket,
  TCP_CLOSE,
  TCP_ESTABLISHED,
  TCP_LISTEN,
} from "../sys/sock_diag.ts";
export { djb2 } from "./kit/djb2.ts";
export { describeSocket, newSockets } from "./kit/diag.ts";
export { Pieces } from "./kit/pieces.ts";
export { SkipError } from "./kit/skip.ts";
export {
  receivesEndThroughRing,
  receiveThroughRing,
  requireSendmsgZc,
  requireZerocopy,
  sendThroughRing,
} from "./kit/uring.ts";

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
 * @throws {TypeError} where its id, requirement or sources are not of the right form.
 */
export function defineCase(definition: ConformanceCase): ConformanceCase {
  validateCase(definition satisfies CaseInfo);
  return definition;
}
