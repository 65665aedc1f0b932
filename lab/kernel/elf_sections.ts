/**
 * The sections of an ELF file (elf(5)), by its section headers.
 *
 * @module
 */
import { isElf } from "../host/elf.ts";

/** Offsets in a 64-bit ELF header, in bytes, and its length. */
export const ELF_HEADER = {
  sectionOffset: 40,
  sectionSize: 58,
  sectionCount: 60,
  namesIndex: 62,
  length: 64,
};

/** Offsets in a section's header, in bytes, and its length. */
export const SECTION_HEADER = {
  name: 0,
  type: 4,
  flags: 8,
  offset: 24,
  size: 32,
  align: 48,
  length: 64,
};

/** A section of a file. */
export interface Section {
  /** Where its header is, in bytes. */
  readonly at: number;
  readonly name: string;
  /** `sh_type`. */
  readonly type: number;
  /** Where its data is, and how much, in bytes. */
  readonly offset: number;
  readonly size: number;
  /** `sh_addralign`. */
  readonly align: number;
}

/** The sections in the order of their headers; none if it is not a 64-bit little-endian ELF file. */
export function sectionsOf(file: Uint8Array): Section[] {
  if (file.length < ELF_HEADER.length || !isElf(file)) return [];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const long = (at: number) => Number(view.getBigUint64(at, true));
  const start = long(ELF_HEADER.sectionOffset);
  const count = view.getUint16(ELF_HEADER.sectionCount, true);
  const length = view.getUint16(ELF_HEADER.sectionSize, true);
  const namesIndex = view.getUint16(ELF_HEADER.namesIndex, true);
  const isWhole = length === SECTION_HEADER.length && start + count * length <= file.length;
  if (!isWhole || namesIndex >= count) return [];
  const names = long(start + namesIndex * length + SECTION_HEADER.offset);
  return Array.from({ length: count }, (_, i) => {
    const at = start + i * length;
    const from = names + view.getUint32(at + SECTION_HEADER.name, true);
    return {
      at,
      name: new TextDecoder("latin1").decode(file.subarray(from, file.indexOf(0, from))),
      type: view.getUint32(at + SECTION_HEADER.type, true),
      offset: long(at + SECTION_HEADER.offset),
      size: long(at + SECTION_HEADER.size),
      align: long(at + SECTION_HEADER.align),
    };
  });
}
