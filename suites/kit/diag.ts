/**
 * What sock_diag(7) tells of sockets, for cases.
 *
 * @module
 */
import {
  AF_VSOCK,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  VMADDR_CID_ANY,
  VMADDR_PORT_ANY,
} from "../../sys/constants.ts";
import { SysError } from "../../sys/errno.ts";
import {
  type DiagSocket,
  dumpVsock,
  TCP_CLOSE,
  TCP_CLOSING,
  TCP_ESTABLISHED,
  TCP_LISTEN,
  TCP_SYN_SENT,
} from "../../sys/sock_diag.ts";
import type { Address } from "../../sys/structs.ts";
import { SkipError } from "./skip.ts";
import type { VsockOptions } from "./vsock.ts";

/** Why a kernel does not answer, by the errno that it gives. */
const LACKING: Readonly<Record<string, string>> = {
  ENOENT: "this kernel has no vsock_diag (CONFIG_VSOCKETS_DIAG), or its module is not loaded",
  EOPNOTSUPP: "this kernel has no vsock_diag (CONFIG_VSOCKETS_DIAG)",
  EPROTONOSUPPORT: "this kernel has no sock_diag (CONFIG_INET_DIAG or CONFIG_UNIX_DIAG)",
};

/**
 * Asks the kernel for its AF_VSOCK sockets.
 *
 * @throws {SkipError} where it cannot be asked.
 */
export async function dumpSockets(
  states: number,
  { family, context, dumpVsock: dump = dumpVsock }: VsockOptions,
): Promise<DiagSocket[]> {
  if (family.domain !== AF_VSOCK && dump === dumpVsock) {
    throw new SkipError(`the sockets are ${family.name}: vsock_diag does not list them`);
  }
  try {
    return await dump(states, context);
  } catch (error) {
    const why = error instanceof SysError ? LACKING[error.code] : undefined;
    if (why === undefined) throw error;
    throw new SkipError(`${why}: ${String(error)}`, { cause: error });
  }
}

/** The sockets of a list that were not in an earlier one. */
export function newSockets(
  before: readonly DiagSocket[],
  after: readonly DiagSocket[],
): DiagSocket[] {
  const known = new Set(before.map(({ cookie }) => cookie));
  return after.filter(({ cookie }) => !known.has(cookie));
}

const TYPES: Readonly<Record<number, string>> = {
  [SOCK_STREAM]: "stream",
  [SOCK_SEQPACKET]: "seqpacket",
};

const STATES: Readonly<Record<number, string>> = {
  [TCP_ESTABLISHED]: "connected",
  [TCP_SYN_SENT]: "connecting",
  [TCP_CLOSE]: "unconnected",
  [TCP_LISTEN]: "listening",
  [TCP_CLOSING]: "disconnecting",
};

/** A socket of a list, on one line. */
export function describeSocket(socket: DiagSocket): string {
  const { type, state, local, remote, inode, cookie } = socket;
  const kind = TYPES[type] ?? `type ${type}`;
  const how = STATES[state] ?? `state ${state}`;
  return `${kind} ${how} ${show(local)} -> ${show(remote)} (inode ${inode}, cookie ${cookie})`;
}

function show({ cid, port }: Address): string {
  const wild = (value: number, any: number) => value === any ? "*" : `${value}`;
  return `${wild(cid, VMADDR_CID_ANY)}:${wild(port, VMADDR_PORT_ANY)}`;
}
