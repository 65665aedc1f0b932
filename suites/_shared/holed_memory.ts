/**
 * Memory that is not there.
 *
 * @module
 */
import { Mapping, pageSize, type RawMemory } from "../../kit/mod.ts";

/** A page that is there, with a hole behind it. */
export class HoledMemory implements Disposable {
  readonly #page = pageSize();
  readonly #mapping = new Mapping(2 * this.#page);

  /** Makes the hole. */
  constructor() {
    this.#mapping.punch(this.#page, this.#page);
  }

  /** Where there is nothing, `length` bytes long. */
  hole(length: number): RawMemory {
    return { address: this.#mapping.address + BigInt(this.#page), length };
  }

  /** Unmaps both. */
  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
  }
}
