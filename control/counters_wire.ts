/**
 * The messages with which an agent sends its kernel's counters of executed lines (gcov): each file
 * in pieces, each piece on a line. Everything is validated and bounded.
 *
 * @module
 */
import { integer, parseObject, ProtocolError, text, unexpected } from "./fields.ts";

/** The id that makes an agent send its kernel's counters; no case has it. */
export const COUNTERS = "coverage/counters/read";

/** The maximum number of files. */
export const MAX_COUNTED = 64;
/** The maximum size of all files together, in bytes; those of AF_VSOCK have about 100 kB. */
export const MAX_COUNTERS = 8 * 1024 * 1024;
/** The maximum number of bytes in a piece. */
const MAX_PIECE = 64 * 1024;

/** Which files are sent: paths below the kernel's tree, without their suffix. */
export const COUNTED_FILE = /^(net\/vmw_vsock\/\w{1,64}|drivers\/vhost\/vsock)$/;

/** Files of counters (.gcda), by their paths below the kernel's tree, without their suffix. */
export type CounterFiles = ReadonlyMap<string, Uint8Array>;

/** The lines with which a file is sent. */
export function encodeCounters(file: string, data: Uint8Array): string[] {
  const lines: string[] = [];
  for (let at = 0; at === 0 || at < data.length; at += MAX_PIECE) {
    const piece = data.subarray(at, at + MAX_PIECE).toBase64();
    lines.push(JSON.stringify({ file, at, piece }));
  }
  return lines;
}

/** Puts files together from lines. */
export class CounterDecoder {
  readonly #pieces = new Map<string, Uint8Array[]>();
  #size = 0;

  /** @throws {ProtocolError} for anything that is not the next piece of such a file. */
  push(line: string): void {
    const message = parseObject(line, line);
    const file = text(message, "file", 100);
    const at = integer(message, "at", MAX_COUNTERS);
    if (!COUNTED_FILE.test(file)) throw unexpected(line);
    const pieces = this.#pieces.get(file) ?? [];
    if (at !== sizeOf(pieces)) throw unexpected(line);
    const piece = decodePiece(text(message, "piece", 2 * MAX_PIECE), line);
    this.#size += piece.length;
    this.#pieces.set(file, [...pieces, piece]);
    if (this.#size <= MAX_COUNTERS && this.#pieces.size <= MAX_COUNTED) return;
    throw new ProtocolError("the peer sent more counters than a kernel has for AF_VSOCK");
  }

  /** The files so far. */
  get files(): CounterFiles {
    return new Map([...this.#pieces].map(([file, pieces]) => [file, joined(pieces)]));
  }
}

function decodePiece(base64: string, line: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    throw unexpected(line);
  }
}

function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(sizeOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
