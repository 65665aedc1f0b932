/**
 * Features of virtio, as bits.
 *
 * @module
 */

/** SEQPACKET sockets, indirect descriptors, and virtio 1 itself. */
export const FEATURE = {
  seqpacket: 1n << 1n,
  indirect: 1n << 28n,
  version1: 1n << 32n,
} as const;
