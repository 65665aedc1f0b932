/**
 * A guest's memory, as both sides of a virtqueue see it: regions of addresses with bytes behind
 * them.
 *
 * @module
 */
import type { Bytes } from "../sys/structs.ts";

/** What is in a virtqueue cannot be, or what it points to is not there. */
export class QueueError extends Error {
  /** Tells it from other errors. */
  override readonly name = "QueueError";
}

/** Memory from an address on. */
export interface Region {
  /** The address of its first byte: a guest's physical one. */
  readonly start: bigint;
  readonly bytes: Bytes;
}

/** All of a guest's memory that is shared. */
export class GuestMemory {
  readonly #regions: readonly Region[];

  /** @param regions which do not overlap. */
  constructor(regions: readonly Region[]) {
    this.#regions = regions;
  }

  /**
   * The bytes at an address, which are the memory and no copy of it.
   *
   * @throws {QueueError} where not all of them are in one region.
   */
  at(address: bigint, length: number): Bytes {
    for (const { start, bytes } of this.#regions) {
      const offset = address - start;
      if (offset < 0n || offset > BigInt(bytes.length)) continue;
      const from = Number(offset);
      if (from + length <= bytes.length) return bytes.subarray(from, from + length);
    }
    throw new QueueError(`there is no memory of ${length} bytes at 0x${address.toString(16)}`);
  }
}

/** Several pieces of memory as one copy, no more of it than asked for. */
export function gather(pieces: readonly Bytes[], most = Infinity): Bytes {
  const total = pieces.reduce((sum, { length }) => sum + length, 0);
  const all = new Uint8Array(new ArrayBuffer(Math.min(total, most)));
  let at = 0;
  for (const piece of pieces) {
    const part = piece.subarray(0, all.length - at);
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Fills pieces of memory one after the other; gives how many bytes had room. */
export function scatter(data: Bytes, pieces: readonly Bytes[]): number {
  let at = 0;
  for (const piece of pieces) {
    const part = data.subarray(at, at + piece.length);
    piece.set(part);
    at += part.length;
  }
  return at;
}
