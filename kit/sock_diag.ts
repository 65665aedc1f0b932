/**
 * Helpers for cases about sock_diag(7).
 *
 * @module
 */
import { SOCK_SEQPACKET, SOCK_STREAM, VMADDR_CID_ANY, VMADDR_PORT_ANY } from "../sys/constants.ts";
import {
  type DiagSocket,
  TCP_CLOSE,
  TCP_CLOSING,
  TCP_ESTABLISHED,
  TCP_LISTEN,
  TCP_SYN_SENT,
} from "../sys/sock_diag.ts";
import type { Address } from "../sys/structs.ts";

/** The sockets in a list that were not in an earlier one. */
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

/** A socket in a list, as one line of text. */
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
