/**
 * Memory outside the engine's heap: for the cases in which the kernel must see a hole in it, and
 * for what the kernel shares.
 *
 * @module
 */
import {
  MAP_ANONYMOUS,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
} from "./constants.ts";
import { SysError } from "./errno.ts";
import { call, callWide } from "./libc.ts";

/** sysconf(_SC_PAGESIZE): 4096 on x86-64; 4096, 16384 or 65536 on aarch64. */
export function pageSize(): number {
  return call("getpagesize");
}

/** What a mapping is made of. */
export interface MappingOptions {
  /** Have its pages from the start: MAP_POPULATE. */
  readonly populate?: boolean;
  /** Share what a descriptor offers at an offset, instead of fresh private memory. */
  readonly shared?: { readonly fd: number; readonly offset: number };
}

/** A mapping, mmap(2), anonymous and private unless told otherwise; unmapped when disposed of. */
export class Mapping implements Disposable {
  /** The address of its first byte. */
  readonly address: bigint;
  /** Its length in bytes; the kernel maps whole pages. */
  readonly length: number;
  readonly #holes: (readonly [number, number])[] = [];
  #mapped = true;

  /** @throws {SysError} ENOMEM */
  /** Maps so many bytes of anonymous memory, mmap(2). */
  constructor(length: number, { populate, shared }: MappingOptions = {}) {
    const { fd, offset } = shared ?? { fd: -1, offset: 0 };
    const kind = shared === undefined ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    const flags = kind | (populate ? MAP_POPULATE : 0);
    const result = callWide("mmap", null, length, PROT_READ | PROT_WRITE, flags, fd, offset);
    if (result < 0n) throw new SysError(`mmap(${length})`, Number(-result));
    this.address = result;
    this.length = length;
  }

  /**
   * Makes a hole: what the kernel then reads or writes there is EFAULT. The hole stays mapped,
   * without access, since another thread would soon map something of its own into a free one.
   *
   * @param offset a multiple of the page size.
   */
  punch(offset: number, length: number): void {
    const result = call("mprotect", this.address + BigInt(offset), length, PROT_NONE);
    if (result < 0) throw new SysError(`mprotect(${length})`, -result);
    this.#holes.push([offset, length]);
  }

  /**
   * A view of its bytes, which must not be used after it is unmapped.
   *
   * @throws {RangeError} where part of that is a hole, or all is unmapped.
   */
  bytes(offset = 0, length: number = this.length - offset): Uint8Array<ArrayBuffer> {
    const inHole = this.#holes.some(([at, size]) => offset < at + size && at < offset + length);
    if (!this.#mapped || inHole) throw new RangeError("Cannot view memory that is not mapped");
    const pointer = Deno.UnsafePointer.create(this.address + BigInt(offset));
    if (pointer === null) throw new RangeError("Cannot view memory at address 0");
    return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, length));
  }

  /** Unmaps it. */
  [Symbol.dispose](): void {
    if (!this.#mapped) return;
    this.#mapped = false;
    call("munmap", this.address, this.length);
  }
}
