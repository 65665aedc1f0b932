/**
 * The structures that libc's socket calls read and write, as x86-64 and aarch64 lay them out.
 * Encoders return bytes that live outside the engine's heap, so their address stays put.
 *
 * @module
 */
import { AF_UNIX, AF_VSOCK, VMADDR_CID_ANY, VMADDR_PORT_ANY } from "./constants.ts";
import { addressOf } from "./libc.ts";

/** Bytes whose address can be given to libc. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** A fresh zeroed buffer of `size` bytes. */
export function bytes(size: number): Bytes {
  return new Uint8Array(new ArrayBuffer(size));
}

/** Where a socket is: the CID, the port, and svm_flags (vsock(7)). */
export interface Address {
  /** svm_cid: 0 hypervisor, 1 local, 2 host, 0xffffffff any; others are guests. */
  readonly cid: number;
  /** svm_port; 0xffffffff is any. */
  readonly port: number;
  /** svm_flags, such as VMADDR_FLAG_TO_HOST. */
  readonly flags?: number;
}

/** How a family of sockets writes an {@linkcode Address}. */
export interface AddressFamily {
  /** The first argument of socket(2). */
  readonly domain: number;
  /** The family's name in messages. */
  readonly name: string;
  /** The bytes of the sockaddr. */
  encode(address: Address): Bytes;
  /**
   * Reads a sockaddr.
   *
   * @param length the length that the kernel stored.
   * @throws {RangeError} where it is not of this family.
   */
  decode(sockaddr: Bytes, length: number): Address;
}

/** Large enough for any address: struct sockaddr_storage. */
export const SOCKADDR_STORAGE_SIZE = 128;
/** Size of struct sockaddr_vm. */
export const SOCKADDR_VM_SIZE = 16;

/** AF_VSOCK: struct sockaddr_vm, linux/vm_sockets.h. */
export const VSOCK: AddressFamily = {
  domain: AF_VSOCK,
  name: "vsock",
  encode({ cid, port, flags = 0 }) {
    const sockaddr = bytes(SOCKADDR_VM_SIZE);
    const view = new DataView(sockaddr.buffer);
    view.setUint16(0, AF_VSOCK, true);
    view.setUint32(4, port, true);
    view.setUint32(8, cid, true);
    view.setUint8(12, flags);
    return sockaddr;
  },
  decode(sockaddr, length) {
    if (length !== SOCKADDR_VM_SIZE) {
      throw new RangeError(
        `Cannot read a sockaddr_vm: the kernel stored ${length} bytes, not ${SOCKADDR_VM_SIZE}`,
      );
    }
    const view = new DataView(sockaddr.buffer);
    const family = view.getUint16(0, true);
    if (family !== AF_VSOCK) {
      throw new RangeError(`Cannot read a sockaddr_vm: its family is ${family}, not ${AF_VSOCK}`);
    }
    return {
      port: view.getUint32(4, true),
      cid: view.getUint32(8, true),
      flags: view.getUint8(12),
    };
  },
};

/**
 * AF_UNIX in AF_VSOCK's place: the port becomes an abstract name within `namespace`, the CID is
 * ignored. It exercises the same calls where AF_VSOCK must not be touched.
 */
export function unixStandIn(namespace: string): AddressFamily {
  const prefix = `\0vsock-conformance/${namespace}/`;
  return {
    domain: AF_UNIX,
    name: "unix",
    encode({ port }) {
      return sockaddrUn(new TextEncoder().encode(`${prefix}${port}`));
    },
    decode(sockaddr, length) {
      const path = new TextDecoder().decode(sockaddr.subarray(2, Math.max(2, length)));
      if (!path.startsWith(prefix)) return { cid: VMADDR_CID_ANY, port: VMADDR_PORT_ANY };
      return { cid: VMADDR_CID_ANY, port: Number(path.slice(prefix.length)) };
    },
  };
}

/** struct sockaddr_un (unix(7)) of a path, as long as that. */
export function sockaddrUn(path: Uint8Array): Bytes {
  const sockaddr = bytes(2 + path.length);
  new DataView(sockaddr.buffer).setUint16(0, AF_UNIX, true);
  sockaddr.set(path, 2);
  return sockaddr;
}

/** struct timeval from milliseconds: 16 bytes. */
export function timeval(milliseconds: number): Bytes {
  const encoded = bytes(16);
  const view = new DataView(encoded.buffer);
  const microseconds = BigInt(Math.round(milliseconds * 1000));
  view.setBigInt64(0, microseconds / 1_000_000n, true);
  view.setBigInt64(8, microseconds % 1_000_000n, true);
  return encoded;
}

/** struct linger: 8 bytes; `seconds` undefined turns lingering off. */
export function linger(seconds: number | undefined): Bytes {
  return new Uint8Array(Int32Array.of(seconds === undefined ? 0 : 1, seconds ?? 0).buffer);
}

/** An int, as most socket options are: 4 bytes. */
export function int(value: number): Bytes {
  return new Uint8Array(Int32Array.of(value).buffer);
}

/** The int in the first 4 bytes. */
export function intOf(value: Bytes): number {
  return new DataView(value.buffer, value.byteOffset).getInt32(0, true);
}

/** An unsigned long long, as SO_VM_SOCKETS_BUFFER_SIZE is: 8 bytes. */
export function u64(value: bigint): Bytes {
  return new Uint8Array(BigUint64Array.of(value).buffer);
}

/** One piece of memory for sendmsg(2) and recvmsg(2): a buffer, or an address and a length. */
export type IoVector = Bytes | { readonly address: bigint; readonly length: number };

/** One control message, cmsg(3). */
export interface ControlMessage {
  /** cmsg_level. */
  readonly level: number;
  /** cmsg_type. */
  readonly type: number;
  /** The bytes behind the header. */
  readonly data: Bytes;
}

/** struct msghdr with what it points to. */
export interface MessageHeader {
  readonly bytes: Bytes;
  readonly iov: Bytes;
  /** The control messages to send, or those received. */
  readonly control: Bytes | undefined;
  readonly vectors: readonly IoVector[];
}

/** What a header points to lives as long as its bytes. */
const POINTED_TO = new WeakMap<Bytes, MessageHeader>();

const MSGHDR_SIZE = 56;
const CMSG_HEADER_SIZE = 16;

/** An array of struct iovec, 16 bytes each; what it points to must be kept alive by its user. */
export function encodeVectors(vectors: readonly IoVector[]): Bytes {
  const iov = bytes(vectors.length * 16);
  const words = new BigUint64Array(iov.buffer);
  vectors.forEach((vector, i) => {
    words[2 * i] = vector instanceof Uint8Array ? addressOf(vector) : vector.address;
    words[2 * i + 1] = BigInt(vector.length);
  });
  return iov;
}

/**
 * struct msghdr over some memory.
 *
 * @param control the bytes that msg_control points to: messages to send, or room to receive.
 */
export function messageHeader(vectors: readonly IoVector[], control?: Bytes): MessageHeader {
  const iov = encodeVectors(vectors);
  const header = bytes(MSGHDR_SIZE);
  const words = new BigUint64Array(header.buffer);
  words[2] = vectors.length === 0 ? 0n : addressOf(iov);
  words[3] = BigInt(vectors.length);
  words[4] = control === undefined ? 0n : addressOf(control);
  words[5] = BigInt(control?.length ?? 0);
  const made = { bytes: header, iov, control, vectors };
  POINTED_TO.set(header, made);
  return made;
}

/** msg_flags of a received message. */
export function messageHeaderFlags(header: MessageHeader): number {
  return new DataView(header.bytes.buffer).getInt32(48, true);
}

/** The control messages of a received message, by msg_controllen. */
export function controlMessages(header: MessageHeader): ControlMessage[] {
  const messages: ControlMessage[] = [];
  if (header.control === undefined) return messages;
  const view = new DataView(header.control.buffer, header.control.byteOffset);
  const end = Number(new DataView(header.bytes.buffer).getBigUint64(40, true));
  let at = 0;
  while (at + CMSG_HEADER_SIZE <= end) {
    const length = Number(view.getBigUint64(at, true));
    if (length < CMSG_HEADER_SIZE || at + length > end) break;
    messages.push({
      level: view.getInt32(at + 8, true),
      type: view.getInt32(at + 12, true),
      data: header.control.slice(at + CMSG_HEADER_SIZE, at + length),
    });
    at += (length + 7) & ~7;
  }
  return messages;
}

/** Control messages to send, as msg_control wants them. */
export function encodeControlMessages(messages: readonly ControlMessage[]): Bytes {
  const size = messages.reduce((sum, { data }) => sum + controlSpace(data.length), 0);
  const encoded = bytes(size);
  const view = new DataView(encoded.buffer);
  let at = 0;
  for (const { level, type, data } of messages) {
    view.setBigUint64(at, BigInt(CMSG_HEADER_SIZE + data.length), true);
    view.setInt32(at + 8, level, true);
    view.setInt32(at + 12, type, true);
    encoded.set(data, at + CMSG_HEADER_SIZE);
    at += controlSpace(data.length);
  }
  return encoded;
}

/** CMSG_SPACE(3): what a control message of `length` bytes takes. */
export function controlSpace(length: number): number {
  return CMSG_HEADER_SIZE + ((length + 7) & ~7);
}

/** struct sock_extended_err, linux/errqueue.h. */
export interface ExtendedError {
  readonly errno: number;
  readonly origin: number;
  readonly type: number;
  readonly code: number;
  readonly info: number;
  readonly data: number;
}

/** Size of struct sock_extended_err. */
const EXTENDED_ERROR_SIZE = 16;

/**
 * Reads a struct sock_extended_err.
 *
 * @throws {RangeError} where there are too few bytes for one.
 */
export function extendedError(encoded: Bytes): ExtendedError {
  if (encoded.length < EXTENDED_ERROR_SIZE) {
    throw new RangeError(`Cannot read a sock_extended_err: there are ${encoded.length} bytes`);
  }
  const view = new DataView(encoded.buffer, encoded.byteOffset);
  return {
    errno: view.getUint32(0, true),
    origin: view.getUint8(4),
    type: view.getUint8(5),
    code: view.getUint8(6),
    info: view.getUint32(8, true),
    data: view.getUint32(12, true),
  };
}

/** struct pollfd: 8 bytes. */
export function pollfd(fd: number, events: number): Bytes {
  const encoded = bytes(8);
  const view = new DataView(encoded.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, events, true);
  return encoded;
}

/** revents of a struct pollfd. */
export function pollRevents(encoded: Bytes): number {
  return new DataView(encoded.buffer).getUint16(6, true);
}
