/**
 * Pairs of byte streams in memory, for a channel within one process.
 *
 * @module
 */
import type { ByteStream } from "./channel.ts";

/** Two byte streams in memory, each the other's peer. */
export function streamPair(): [ByteStream, ByteStream] {
  const there = new Pipe();
  const back = new Pipe();
  return [new MemoryStream(back, there), new MemoryStream(there, back)];
}

/** Bytes in transit from one stream to the other. */
class Pipe {
  readonly #chunks: Uint8Array[] = [];
  #closed = false;
  #changed = Promise.withResolvers<void>();

  write(bytes: Uint8Array): void {
    if (this.#closed) throw new Deno.errors.BrokenPipe("the stream is closed");
    this.#chunks.push(bytes.slice());
    this.#changed.resolve();
  }

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) {
        if (chunk.length > into.length) this.#chunks.unshift(chunk.subarray(into.length));
        into.set(chunk.subarray(0, into.length));
        return Math.min(chunk.length, into.length);
      }
      if (this.#closed) return null;
      await this.#changed.promise;
      this.#changed = Promise.withResolvers<void>();
    }
  }

  close(): void {
    this.#closed = true;
    this.#changed.resolve();
  }
}

class MemoryStream implements ByteStream {
  readonly #input: Pipe;
  readonly #output: Pipe;

  constructor(input: Pipe, output: Pipe) {
    this.#input = input;
    this.#output = output;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#input.read(into);
  }

  // deno-lint-ignore require-await -- a stream that is closed rejects
  async write(bytes: Uint8Array): Promise<number> {
    this.#output.write(bytes);
    return bytes.length;
  }

  close(): void {
    this.#input.close();
    this.#output.close();
  }
}
