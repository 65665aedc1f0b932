import { type Bytes, bytes, Mapping, type RawMemory } from "../../kit/mod.ts";

/** The page of the kernel's tables, on every architecture. */
const PAGE = 4096;

/** One element of an iovec: its length; how far into a page it begins; whether it is a hole. */
export interface Element {
  readonly length: number;
  readonly offset?: number;
  readonly hole?: boolean;
}

/** A message, and its expected result. */
export interface Shape {
  readonly name: string;
  readonly elements: readonly Element[];
  /** Whether SO_ZEROCOPY is set; without it MSG_ZEROCOPY has no effect. */
  readonly zerocopy: boolean;
  /** What the completion must report; undefined if there must be none. */
  readonly completion: "zerocopied" | "copied" | undefined;
  /** The error of sendmsg(), if it must fail. */
  readonly error?: "ENOMEM";
  /** Larger than the peer's buffer, so not for messages. */
  readonly streamOnly?: boolean;
}

function whole(...lengths: number[]): Element[] {
  return lengths.map((length) => ({ length }));
}

/** The shapes, in the order in which both sides go through them. */
export const SHAPES: readonly Shape[] = [
  {
    name: "last element not page aligned in length",
    elements: whole(PAGE, PAGE, 200),
    zerocopy: true,
    completion: "zerocopied",
  },
  {
    name: "all elements page aligned",
    elements: whole(PAGE, 2 * PAGE, 3 * PAGE),
    zerocopy: true,
    completion: "zerocopied",
  },
  {
    name: "more than 64 KiB",
    elements: whole(16 * PAGE, 16 * PAGE, 16 * PAGE),
    zerocopy: true,
    completion: "zerocopied",
  },
  {
    name: "middle element not page aligned at all",
    elements: [{ length: PAGE }, { length: 100, offset: 1 }, { length: PAGE }],
    zerocopy: true,
    completion: "zerocopied",
  },
  {
    name: "middle element a hole",
    elements: [{ length: PAGE }, { length: PAGE, hole: true }, { length: PAGE }],
    zerocopy: true,
    completion: undefined,
    error: "ENOMEM",
  },
  {
    name: "SO_ZEROCOPY off",
    elements: whole(PAGE),
    zerocopy: false,
    completion: undefined,
  },
  {
    name: "larger than the peer's buffer",
    elements: whole(100 * PAGE),
    zerocopy: true,
    completion: "copied",
    streamOnly: true,
  },
];

/** How many bytes elements have. */
export function lengthOf(elements: readonly Element[]): number {
  return elements.reduce((sum, { length }) => sum + length, 0);
}

/** Elements in memory, each in a mapping of its own; unmapped when disposed of. */
export class ShapedMemory implements Disposable {
  readonly #elements: readonly Element[];
  readonly #mappings: readonly Mapping[];

  /** @param fill gives random bytes. */
  constructor(elements: readonly Element[], fill: (length: number) => Bytes) {
    this.#elements = elements;
    this.#mappings = elements.map(({ length, offset = 0 }) =>
      new Mapping(offset + length, { populate: true })
    );
    for (const [i, { length, offset = 0, hole }] of elements.entries()) {
      const mapping = this.#mappings[i];
      if (hole) mapping?.punch(0, length);
      else mapping?.bytes(offset, length).set(fill(length));
    }
  }

  /** What sendmsg() is given. */
  get vectors(): RawMemory[] {
    return this.#elements.map(({ length, offset = 0 }, i) => ({
      address: (this.#mappings[i]?.address ?? 0n) + BigInt(offset),
      length,
    }));
  }

  /** What sendmsg() is given when so many bytes were already taken. */
  after(count: number): RawMemory[] {
    return this.vectors.flatMap(({ address, length }) => {
      const taken = Math.min(count, length);
      count -= taken;
      return taken === length ? [] : [{ address: address + BigInt(taken), length: length - taken }];
    });
  }

  /** All its bytes, one after the other; it must not have a hole. */
  get content(): Bytes {
    const content = bytes(lengthOf(this.#elements));
    let at = 0;
    for (const [i, { length, offset = 0 }] of this.#elements.entries()) {
      const mapping = this.#mappings[i];
      if (mapping !== undefined) content.set(mapping.bytes(offset, length), at);
      at += length;
    }
    return content;
  }

  [Symbol.dispose](): void {
    for (const mapping of this.#mappings) mapping[Symbol.dispose]();
  }
}
