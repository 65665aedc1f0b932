/**
 * sock_diag(7) for AF_VSOCK: which sockets the kernel knows, and their state. Source:
 * linux/sock_diag.h, linux/vm_sockets_diag.h, net/vmw_vsock/diag.c.
 *
 * @module
 */
import { AF_VSOCK, NETLINK_SOCK_DIAG } from "./constants.ts";
import { NetlinkSocket } from "./netlink.ts";
import type { CallContext } from "./descriptor.ts";
import { refuseForbidden } from "./forbidden.ts";
import { type Address, type Bytes, bytes } from "./structs.ts";

/** The type of the request and of its answers. */
export const SOCK_DIAG_BY_FAMILY = 20;

/** States of a socket, by the numbers that TCP has for them: net/tcp_states.h. */
export const TCP_ESTABLISHED = 1;
export const TCP_SYN_SENT = 2;
/** Not connected. */
export const TCP_CLOSE = 7;
/** Listens. */
export const TCP_LISTEN = 10;
export const TCP_CLOSING = 11;

/** A vdiag_states that asks for sockets in every state. */
export const ALL_STATES = 0xffffffff;

const REQUEST_SIZE = 24;
const SOCKET_SIZE = 32;

/** A request that is not as the kernel wants it. */
export interface OddRequest {
  /** How many of its bytes are sent; all 24 without. */
  readonly size?: number;
  /** Its flags, such as NLM_F_REQUEST; those of a dump without. */
  readonly flags?: number;
}

/** A socket as the kernel tells of it: struct vsock_diag_msg. */
export interface DiagSocket {
  /** SOCK_STREAM, ... */
  readonly type: number;
  /** TCP_LISTEN, ... */
  readonly state: number;
  /** Which directions this side shut down: 1 receiving, 2 sending. */
  readonly shutdown: number;
  /** Its own address. */
  readonly local: Address;
  /** Its peer's. */
  readonly remote: Address;
  /** Of its file, as fstat(2) gives it; 0 where no file is left. */
  readonly inode: number;
  /** Another one for every socket since boot. */
  readonly cookie: bigint;
}

/** struct vsock_diag_req: sockets in the states of the bitmap, such as `1 << TCP_LISTEN`. */
export function encodeRequest(states: number): Bytes {
  const request = bytes(REQUEST_SIZE);
  const view = new DataView(request.buffer);
  view.setUint8(0, AF_VSOCK);
  view.setUint32(4, states, true);
  return request;
}

/**
 * Reads a struct vsock_diag_msg.
 *
 * @throws {RangeError} where it is too short or of another family.
 */
export function decodeSocket(payload: Bytes): DiagSocket {
  if (payload.length < SOCKET_SIZE) {
    throw new RangeError(
      `Cannot read a vsock_diag_msg: it has ${payload.length} bytes, not ${SOCKET_SIZE}`,
    );
  }
  const view = new DataView(payload.buffer, payload.byteOffset);
  const family = view.getUint8(0);
  if (family !== AF_VSOCK) {
    throw new RangeError(`Cannot read a vsock_diag_msg: its family is ${family}, not ${AF_VSOCK}`);
  }
  return {
    type: view.getUint8(1),
    state: view.getUint8(2),
    shutdown: view.getUint8(3),
    local: { cid: view.getUint32(4, true), port: view.getUint32(8, true) },
    remote: { cid: view.getUint32(12, true), port: view.getUint32(16, true) },
    inode: view.getUint32(20, true),
    cookie: view.getBigUint64(24, true),
  };
}

/**
 * Asks the kernel for the AF_VSOCK sockets of this network namespace.
 *
 * @throws {SysError} ENOENT where the kernel has no vsock_diag, EPROTONOSUPPORT without sock_diag,
 * EINVAL and EOPNOTSUPP for odd requests.
 */
export async function dumpVsock(
  states: number = ALL_STATES,
  context: CallContext = {},
  { size = REQUEST_SIZE, flags }: OddRequest = {},
): Promise<DiagSocket[]> {
  refuseForbidden("sock_diag for AF_VSOCK");
  using netlink = NetlinkSocket.open(NETLINK_SOCK_DIAG, context);
  const request = encodeRequest(states).subarray(0, size);
  const messages = await netlink.dump(SOCK_DIAG_BY_FAMILY, request, flags);
  return messages.map(({ payload }) => decodeSocket(payload));
}
