/**
 * Modules without what only a debugger reads: with it, those of a lab fill its VMs' memory.
 *
 * @module
 */

import { ELF_HEADER, SECTION_HEADER, sectionsOf } from "./elf_sections.ts";

const SHT_NULL = 0;
const SHT_NOBITS = 8;

/** Sections for debuggers, and the relocations of these. */
const NEEDLESS = /^(\.rela?)?\.(z?debug_|gdb_index|BTF_ids_debug)/;

/**
 * A module without its debug sections: they become empty, and keep their numbers, by which symbols
 * name sections. What is no 64-bit little-endian ELF file stays as it is.
 */
export function withoutDebug(module: Uint8Array): Uint8Array {
  const sections = sectionsOf(module);
  if (!sections.some(({ name }) => NEEDLESS.test(name))) return module;
  const header = new DataView(module.buffer, module.byteOffset, module.byteLength);
  const start = Number(header.getBigUint64(ELF_HEADER.sectionOffset, true));
  const headers = module.slice(start, start + SECTION_HEADER.length * sections.length);
  const table = new DataView(headers.buffer);
  const result = new Uint8Array(module.length + 8);
  result.set(module.subarray(0, ELF_HEADER.length));
  let end = ELF_HEADER.length;
  for (const section of sections.toSorted((a, b) => a.offset - b.offset)) {
    const at = section.at - start;
    if (NEEDLESS.test(section.name)) {
      table.setUint32(at + SECTION_HEADER.type, SHT_NULL, true);
      table.setBigUint64(at + SECTION_HEADER.flags, 0n, true);
      table.setBigUint64(at + SECTION_HEADER.size, 0n, true);
      continue;
    }
    if (section.type === SHT_NULL) continue;
    end = roundedUp(end, section.align);
    table.setBigUint64(at + SECTION_HEADER.offset, BigInt(end), true);
    if (section.type === SHT_NOBITS) continue;
    result.set(module.subarray(section.offset, section.offset + section.size), end);
    end += section.size;
  }
  end = roundedUp(end, 8);
  result.set(headers, end);
  new DataView(result.buffer).setBigUint64(ELF_HEADER.sectionOffset, BigInt(end), true);
  return result.subarray(0, end + headers.length);
}

function roundedUp(value: number, to: number): number {
  return to > 1 ? Math.ceil(value / to) * to : value;
}
