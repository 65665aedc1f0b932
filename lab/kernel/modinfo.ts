/**
 * Parses the information in a kernel module (modinfo(8)): the section `.modinfo` of its ELF file,
 * and for modules that are built in, `modules.builtin.modinfo`.
 *
 * @module
 */
import { LabError } from "../error.ts";
import { sectionsOf } from "./elf_sections.ts";

/** Values by their key, in order: `depends`, `softdep`, `alias`, ... */
export type ModuleInfo = ReadonlyMap<string, readonly string[]>;

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
  const found = sectionsOf(file).find(({ name }) => name === ".modinfo");
  return found && file.subarray(found.offset, found.offset + found.size);
}
