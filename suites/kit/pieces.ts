/**
 * Memory in pieces, as sendmsg(2) gathers it: each in a mapping of its own, with random content.
 *
 * @module
 */
import type { Random } from "../../core/random.ts";
import { Mapping } from "../../sys/memory.ts";
import { type Bytes, bytes } from "../../sys/structs.ts";

/** What a piece is like. */
export interface PieceShape {
  /** Its length in bytes. */
  readonly length: number;
  /** How far behind the beginning of a page it starts, in bytes. */
  readonly offset?: number;
}

/** Pieces; unmapped when disposed of. */
export class Pieces implements Disposable {
  readonly #mappings: Mapping[] = [];
  /** The pieces themselves. */
  readonly vectors: readonly Bytes[];

  /** @throws {SysError} ENOMEM */
  constructor(shapes: readonly PieceShape[], random: Random) {
    this.vectors = shapes.map(({ length, offset = 0 }) => {
      const mapping = new Mapping(offset + length, { populate: true });
      this.#mappings.push(mapping);
      const piece = mapping.bytes(offset, length);
      piece.set(random.bytes(length));
      return piece;
    });
  }

  /** What they hold, one behind the other. */
  joined(): Bytes {
    const all = bytes(this.vectors.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of this.vectors) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  /** What is left of them behind so many bytes. */
  after(count: number): Bytes[] {
    const rest: Bytes[] = [];
    for (const piece of this.vectors) {
      if (count < piece.length) rest.push(piece.subarray(count));
      count = Math.max(0, count - piece.length);
    }
    return rest;
  }

  [Symbol.dispose](): void {
    for (const mapping of this.#mappings) mapping[Symbol.dispose]();
  }
}
