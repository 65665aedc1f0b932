/**
 * Modules without what only a debugger reads: with it, those of a lab fill its VMs' memory.
 *
 * @module
 */

/** Where things are in a 64-bit ELF file, in bytes: elf(5). */
const HEADER = { sectionOffset: 40, sectionSize: 58, sectionCount: 60, namesIndex: 62, length: 64 };
const SECTION = { type: 4, flags: 8, offset: 24, size: 32, align: 48, length: 64 };
const ELF = 0x7f454c46;
const SHT_NULL = 0;
const SHT_NOBITS = 8;

/** Sections for debuggers, and the relocations of these. */
const NEEDLESS = /^(\.rela?)?\.(z?debug_|gdb_index|BTF_ids_debug)/;

/** A section of a file. */
interface Section {
  /** Where its header is, in bytes. */
  readonly at: number;
  readonly name: string;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly align: number;
}

/**
 * A module without its debug sections: they become empty, and keep their numbers, by which symbols
 * name sections. What is no 64-bit little-endian ELF file stays as it is.
 */
export function withoutDebug(module: Uint8Array): Uint8Array {
  const sections = sectionsOf(module);
  if (!sections.some(({ name }) => NEEDLESS.test(name))) return module;
  const size = SECTION.length * sections.length;
  const header = new DataView(module.buffer, module.byteOffset, module.byteLength);
  const headers = module.slice(Number(header.getBigUint64(HEADER.sectionOffset, true)));
  const table = new DataView(headers.buffer, 0, size);
  const start = Number(header.getBigUint64(HEADER.sectionOffset, true));
  const result = new Uint8Array(module.length + 8);
  result.set(module.subarray(0, HEADER.length));
  let end = HEADER.length;
  for (const section of sections.toSorted((a, b) => a.offset - b.offset)) {
    const at = section.at - start;
    if (NEEDLESS.test(section.name)) {
      table.setUint32(at + SECTION.type, SHT_NULL, true);
      table.setBigUint64(at + SECTION.flags, 0n, true);
      table.setBigUint64(at + SECTION.size, 0n, true);
      continue;
    }
    if (section.type === SHT_NULL) continue;
    end = roundedUp(end, section.align);
    table.setBigUint64(at + SECTION.offset, BigInt(end), true);
    if (section.type === SHT_NOBITS) continue;
    result.set(module.subarray(section.offset, section.offset + section.size), end);
    end += section.size;
  }
  end = roundedUp(end, 8);
  result.set(headers.subarray(0, size), end);
  new DataView(result.buffer).setBigUint64(HEADER.sectionOffset, BigInt(end), true);
  return result.subarray(0, end + size);
}

function roundedUp(value: number, to: number): number {
  return to > 1 ? Math.ceil(value / to) * to : value;
}

function sectionsOf(file: Uint8Array): Section[] {
  if (file.length < HEADER.length) return [];
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(0) !== ELF || file[4] !== 2 || file[5] !== 1) return [];
  const start = Number(view.getBigUint64(HEADER.sectionOffset, true));
  const count = view.getUint16(HEADER.sectionCount, true);
  if (view.getUint16(HEADER.sectionSize, true) !== SECTION.length) return [];
  if (start + count * SECTION.length > file.length) return [];
  const long = (at: number) => Number(view.getBigUint64(at, true));
  const names = start + view.getUint16(HEADER.namesIndex, true) * SECTION.length;
  const nameAt = (offset: number) => {
    const from = long(names + SECTION.offset) + offset;
    return new TextDecoder("latin1").decode(file.subarray(from, file.indexOf(0, from)));
  };
  return Array.from({ length: count }, (_, i) => {
    const at = start + i * SECTION.length;
    return {
      ...{ at, name: nameAt(view.getUint32(at, true)) },
      type: view.getUint32(at + SECTION.type, true),
      offset: long(at + SECTION.offset),
      size: long(at + SECTION.size),
      align: long(at + SECTION.align),
    };
  });
}
