/**
 * Parses the information in a kernel module (modinfo(8)): the section `.modinfo` of its ELF file,
 * and for modules that are built in, `modules.builtin.modinfo`.
 *
 * @module
 */
import { LabError } from "../error.ts";

/** Values by their key, in order: `depends`, `softdep`, `alias`, ... */
export type ModuleInfo = ReadonlyMap<string, readonly string[]>;

/** Offsets in a 64-bit ELF header, in bytes: elf(5). */
const HEADER = { sectionOffset: 40, sectionSize: 58, sectionCount: 60, namesIndex: 62, length: 64 };
const SECTION = { name: 0, offset: 24, size: 32 };
const ELF = 0x7f454c46;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;

/**
 * Parses a module's information.
 *
 * @throws {LabError} if it is not a module for a 64-bit machine.
 */
export function moduleInfo(module: Uint8Array): ModuleInfo {
  const section = modinfoSection(module);
  if (section === undefined) throw new LabError("it is not a kernel module for a 64-bit machine");
  return byKey(entriesOf(section).map((entry) => ["", entry] as const)).get("") ?? new Map();
}

/** Parses the information about built-in modules, by their names. */
export function builtInInfo(file: Uint8Array): ReadonlyMap<string, ModuleInfo> {
  return byKey(
    entriesOf(file).map((entry) => {
      const dot = entry.indexOf(".");
      return [moduleName(entry.slice(0, dot)), entry.slice(dot + 1)] as const;
    }),
  );
}

/** A module's name in the kernel: always with `_`, while file names may have `-`. */
export function moduleName(name: string): string {
  return name.replaceAll("-", "_");
}

function entriesOf(bytes: Uint8Array): string[] {
  return new TextDecoder("latin1").decode(bytes).split("\0").filter((entry) => entry !== "");
}

function byKey(entries: readonly (readonly [module: string, entry: string])[]) {
  const found = new Map<string, Map<string, string[]>>();
  for (const [module, entry] of entries) {
    const [, key = "", value = ""] = /^([^=]*)=(.*)$/s.exec(entry) ?? [];
    const info = found.get(module) ?? new Map<string, string[]>();
    found.set(module, info);
    info.set(key, [...info.get(key) ?? [], value]);
  }
  return found;
}

function modinfoSection(file: Uint8Array): Uint8Array | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isKnown = file.length >= HEADER.length && view.getUint32(0) === ELF &&
    file[4] === CLASS_64 && file[5] === LITTLE_ENDIAN;
  if (!isKnown) return undefined;
  const start = Number(view.getBigUint64(HEADER.sectionOffset, true));
  const size = view.getUint16(HEADER.sectionSize, true);
  const count = view.getUint16(HEADER.sectionCount, true);
  if (size < SECTION.size + 8 || start + size * count > file.length) return undefined;
  const sections = Array.from({ length: count }, (_, i) => {
    const at = start + size * i;
    const offset = Number(view.getBigUint64(at + SECTION.offset, true));
    const length = Number(view.getBigUint64(at + SECTION.size, true));
    return { name: view.getUint32(at + SECTION.name, true), offset, end: offset + length };
  });
  const names = sections[view.getUint16(HEADER.namesIndex, true)];
  if (names === undefined) return undefined;
  const nameAt = (at: number) => {
    const text = new TextDecoder("latin1").decode(file.subarray(at, at + ".modinfo\0".length));
    return text.split("\0")[0];
  };
  const found = sections.find(({ name }) => nameAt(names.offset + name) === ".modinfo");
  return found && file.subarray(found.offset, found.end);
}
