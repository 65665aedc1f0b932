/**
 * Packets of virtio-vsock: a header of 44 bytes, and what follows it (virtio 1.3, 5.10.6). Fields
 * are kept as they are, also those that no specification knows.
 *
 * @module
 */
import { type Bytes, bytes } from "../sys/structs.ts";

/** struct virtio_vsock_hdr, in bytes. */
export const HEADER_SIZE = 44;

/** What a packet is for: the field `op`. */
export const OP = {
  INVALID: 0,
  REQUEST: 1,
  RESPONSE: 2,
  RST: 3,
  SHUTDOWN: 4,
  RW: 5,
  CREDIT_UPDATE: 6,
  CREDIT_REQUEST: 7,
} as const;

/** The name of an operation. */
export type OpName = keyof typeof OP;

/** The field `type`: what kind of socket. */
export const TYPE = { stream: 1, seqpacket: 2 } as const;

/** Flags of SHUTDOWN: the sender receives no more, and sends no more. */
export const SHUTDOWN_RECEIVE = 1;
export const SHUTDOWN_SEND = 2;
/** Both. */
export const SHUTDOWN_BOTH = 3;
/** Flags of RW with type SEQPACKET: a message ends, and a record. */
export const SEQ_EOM = 1;
export const SEQ_EOR = 2;

/** The fields of a header. */
export interface Header {
  /** 64 bits, of which the upper 32 are reserved. */
  readonly srcCid: bigint;
  readonly dstCid: bigint;
  readonly srcPort: number;
  readonly dstPort: number;
  /** Bytes behind the header, as it says. */
  readonly len: number;
  readonly type: number;
  readonly op: number;
  readonly flags: number;
  /** The sender's room for what it receives on this connection, in bytes. */
  readonly bufAlloc: number;
  /** How much of what it received its user has taken, in bytes, modulo 2^32. */
  readonly fwdCnt: number;
}

/** A header and what follows it, which need not be as long as the header says. */
export interface Packet extends Header {
  readonly data: Bytes;
}

/** A header's bytes. */
export function encodeHeader(header: Header): Bytes {
  const encoded = bytes(HEADER_SIZE);
  const view = new DataView(encoded.buffer);
  view.setBigUint64(0, header.srcCid, true);
  view.setBigUint64(8, header.dstCid, true);
  view.setUint32(16, header.srcPort, true);
  view.setUint32(20, header.dstPort, true);
  view.setUint32(24, header.len, true);
  view.setUint16(28, header.type, true);
  view.setUint16(30, header.op, true);
  view.setUint32(32, header.flags, true);
  view.setUint32(36, header.bufAlloc, true);
  view.setUint32(40, header.fwdCnt, true);
  return encoded;
}

/** A packet's bytes: those of its header, then its data. */
export function encodePacket(packet: Packet): Bytes {
  const encoded = bytes(HEADER_SIZE + packet.data.length);
  encoded.set(encodeHeader(packet));
  encoded.set(packet.data, HEADER_SIZE);
  return encoded;
}

/**
 * Reads a header, and takes what follows it for its data.
 *
 * @throws {RangeError} where there are too few bytes for a header.
 */
export function decodePacket(encoded: Uint8Array<ArrayBuffer>): Packet {
  if (encoded.length < HEADER_SIZE) {
    throw new RangeError(`Cannot read a packet of ${encoded.length} bytes: a header has 44`);
  }
  const view = new DataView(encoded.buffer, encoded.byteOffset);
  return {
    srcCid: view.getBigUint64(0, true),
    dstCid: view.getBigUint64(8, true),
    srcPort: view.getUint32(16, true),
    dstPort: view.getUint32(20, true),
    len: view.getUint32(24, true),
    type: view.getUint16(28, true),
    op: view.getUint16(30, true),
    flags: view.getUint32(32, true),
    bufAlloc: view.getUint32(36, true),
    fwdCnt: view.getUint32(40, true),
    data: encoded.slice(HEADER_SIZE),
  };
}

const OP_NAMES = new Map<number, string>(Object.entries(OP).map(([name, op]) => [op, name]));

/** An operation's name, or its number where it has none. */
export function opName(op: number): string {
  return OP_NAMES.get(op) ?? `op ${op}`;
}

/** The name of a type, or its number where it has none. */
export function typeName(type: number): string {
  const known = Object.entries(TYPE).find(([, number]) => number === type);
  return known?.[0] ?? `type ${type}`;
}

/** A packet as one line: `RW stream 52:1024 > 2:1234, 5 bytes, flags 0, buf_alloc 1, fwd_cnt 0`. */
export function describePacket(packet: Packet): string {
  const { srcCid, dstCid, srcPort, dstPort, len, data, flags, bufAlloc, fwdCnt } = packet;
  const length = len === data.length ? `${len} bytes` : `${data.length} bytes, len ${len}`;
  return `${opName(packet.op)} ${typeName(packet.type)} ${srcCid}:${srcPort} > ` +
    `${dstCid}:${dstPort}, ${length}, flags ${flags}, buf_alloc ${bufAlloc}, fwd_cnt ${fwdCnt}`;
}
