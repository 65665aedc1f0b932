/**
 * What the names of calls, flags and options stand for, and calls that need nothing but a descriptor.
 *
 * @module
 */
import type { CallAnswer, CallFlag, CallOption } from "../core/socket_call.ts";
import {
  AF_VSOCK,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_NOSIGNAL,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_ERROR,
  SO_RCVLOWAT,
  SO_VM_SOCKETS_BUFFER_MAX_SIZE,
  SO_VM_SOCKETS_BUFFER_MIN_SIZE,
  SO_VM_SOCKETS_BUFFER_SIZE,
  SO_VM_SOCKETS_CONNECT_TIMEOUT,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
} from "../sys/constants.ts";
import { errnoName } from "../sys/errno.ts";
import { call } from "../sys/libc.ts";
import { type Bytes, bytes, int, pollfd, pollRevents } from "../sys/structs.ts";

/** The numbers of the types of sockets. */
export const TYPES = { stream: SOCK_STREAM, seqpacket: SOCK_SEQPACKET } as const;
const FLAGS: Readonly<Record<CallFlag, number>> = {
  OOB: MSG_OOB,
  PEEK: MSG_PEEK,
  TRUNC: MSG_TRUNC,
  EOR: MSG_EOR,
  WAITALL: MSG_WAITALL,
  NOSIGNAL: MSG_NOSIGNAL,
};
/** What shutdown(2) is told. */
export const HOWS = { RD: SHUT_RD, WR: SHUT_WR, RDWR: SHUT_RDWR } as const;
const POLLED = [
  [POLLIN, "IN"],
  [POLLOUT, "OUT"],
  [POLLRDHUP, "RDHUP"],
  [POLLHUP, "HUP"],
  [POLLERR, "ERR"],
] as const;
/** asm-generic/socket.h. */
const SO_TYPE = 3;
const SO_ACCEPTCONN = 30;
const SO_PROTOCOL = 38;
const SO_DOMAIN = 39;
/** Level, number and size of an option; 16 is a struct timeval, of which whole seconds count. */
const OPTIONS: Readonly<Record<CallOption, readonly [number, number, 4 | 8 | 16]>> = {
  BUFFER_SIZE: [AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, 8],
  BUFFER_MIN_SIZE: [AF_VSOCK, SO_VM_SOCKETS_BUFFER_MIN_SIZE, 8],
  BUFFER_MAX_SIZE: [AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE, 8],
  SO_RCVLOWAT: [SOL_SOCKET, SO_RCVLOWAT, 4],
  CONNECT_TIMEOUT: [AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, 16],
  SO_ERROR: [SOL_SOCKET, SO_ERROR, 4],
  SO_TYPE: [SOL_SOCKET, SO_TYPE, 4],
  SO_DOMAIN: [SOL_SOCKET, SO_DOMAIN, 4],
  SO_PROTOCOL: [SOL_SOCKET, SO_PROTOCOL, 4],
  SO_ACCEPTCONN: [SOL_SOCKET, SO_ACCEPTCONN, 4],
};
/** A result, or a negated errno. */
export function answer(result: number): CallAnswer {
  return result < 0 ? { result: -1, errno: errnoName(-result) } : { result };
}

/** The flags of a send or a recv. */
export function flagBits({ flags, wait }: { flags: readonly CallFlag[]; wait: boolean }): number {
  return flags.reduce((bits, flag) => bits | FLAGS[flag], wait ? 0 : MSG_DONTWAIT);
}

/** Memory in so many parts, some of which may have no bytes. */
export function partsOf(memory: Bytes, pieces: number): Bytes[] {
  const at = (part: number) => Math.floor(memory.length * part / pieces);
  return Array.from({ length: pieces }, (_, part) => memory.subarray(at(part), at(part + 1)));
}

/** poll(2) for everything, without waiting. */
export function poll(fd: number): CallAnswer {
  const set = pollfd(fd, POLLED.reduce((bits, [bit]) => bits | bit, 0));
  const result = call("poll", set, 1, 0);
  if (result < 0) return answer(result);
  const revents = pollRevents(set);
  return { result, flags: POLLED.filter(([bit]) => revents & bit).map(([, name]) => name) };
}

/** getsockopt(2). */
export function getOption(fd: number, option: CallOption): CallAnswer {
  const [level, number, size] = OPTIONS[option];
  const value = bytes(size);
  const result = call("getsockopt", fd, level, number, value, int(size));
  if (result < 0) return answer(result);
  const view = new DataView(value.buffer);
  return { result: size === 4 ? view.getInt32(0, true) : Number(view.getBigUint64(0, true)) };
}

/** setsockopt(2). */
export function setOption(fd: number, option: CallOption, value: number): CallAnswer {
  const [level, number, size] = OPTIONS[option];
  const encoded = bytes(size);
  const view = new DataView(encoded.buffer);
  if (size === 4) view.setUint32(0, value, true);
  else view.setBigUint64(0, BigInt(value), true);
  return answer(call("setsockopt", fd, level, number, encoded, size));
}
