/**
 * Splits the control channel's bytes into lines of bounded length that end in `\n`.
 *
 * @module
 */
import { ProtocolError } from "./wire.ts";

/** The maximum length of a line, in bytes; executeSide() keeps a SideReport below half of it. */
export const MAX_LINE = 256 * 1024;

/** Splits a stream of bytes into lines. */
export class LineDecoder {
  readonly #limit: number;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #pieces: Uint8Array[] = [];
  #held = 0;

  /** @param limit the maximum length of a line, in bytes without its end. */
  constructor(limit: number = MAX_LINE) {
    this.#limit = limit;
  }

  /**
   * Adds bytes, and yields the lines that they complete, without their ends.
   *
   * @throws {ProtocolError} for a line that is too long or not UTF-8, after yielding earlier lines.
   */
  *push(chunk: Uint8Array): Generator<string, void> {
    let from = 0;
    for (let end; (end = chunk.indexOf(0x0a, from)) >= 0; from = end + 1) {
      this.#hold(chunk.subarray(from, end));
      yield this.#take();
    }
    if (from < chunk.length) this.#hold(chunk.slice(from));
  }

  /** The number of bytes in an unfinished line. */
  get held(): number {
    return this.#held;
  }

  #hold(piece: Uint8Array): void {
    this.#held += piece.length;
    if (this.#held > this.#limit) {
      throw new ProtocolError(`the peer sent a line of more than ${this.#limit} bytes`);
    }
    this.#pieces.push(piece);
  }

  #take(): string {
    const line = new Uint8Array(this.#held);
    let at = 0;
    for (const piece of this.#pieces) {
      line.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    this.#held = 0;
    try {
      return this.#decoder.decode(line);
    } catch {
      throw new ProtocolError("the peer sent a line that is not UTF-8 text");
    }
  }
}
