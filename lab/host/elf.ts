/**
 * Reads from an ELF file (elf(5)) its machine, its loader, and the libraries that it needs. Only
 * 64-bit little-endian files are supported, as both architectures use.
 *
 * @module
 */
import { LabError } from "../error.ts";

/** What {@linkcode elfFacts} reads. */
export interface ElfFacts {
  /** `e_machine`. */
  readonly machine: number;
  /** Whether it can be loaded at any address (ET_DYN). */
  readonly isRelocatable: boolean;
  /** PT_INTERP: the loader of a program that is linked with shared libraries. */
  readonly interpreter: string | undefined;
  /** DT_NEEDED, in order. */
  readonly needed: readonly string[];
}

const ET_DYN = 3;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** Whether a file that begins with these bytes is a supported ELF file. */
export function isElf(head: Uint8Array): boolean {
  return [0x7f, 0x45, 0x4c, 0x46, 2, 1].every((byte, i) => head[i] === byte);
}

/** `e_machine` of an ELF file that begins with these bytes. */
export function elfMachine(head: Uint8Array): number {
  return new DataView(head.buffer, head.byteOffset).getUint16(18, true);
}

/** Reads a file's bytes; undefined if it is not an ELF file. */
export function elfFacts(file: Uint8Array): ElfFacts | undefined {
  if (file.length < 64 || !isElf(file)) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const segments = segmentsOf(view);
  const interp = segments.find(({ type }) => type === PT_INTERP);
  return {
    machine: elfMachine(file),
    isRelocatable: view.getUint16(16, true) === ET_DYN,
    interpreter: interp === undefined ? undefined : textAt(file, interp.offset),
    needed: neededBy(file, view, segments),
  };
}

function segmentsOf(view: DataView): Segment[] {
  const start = Number(view.getBigUint64(32, true));
  const size = view.getUint16(54, true);
  return Array.from({ length: view.getUint16(56, true) }, (_, i) => {
    const at = start + i * size;
    return {
      type: view.getUint32(at, true),
      offset: Number(view.getBigUint64(at + 8, true)),
      address: Number(view.getBigUint64(at + 16, true)),
      size: Number(view.getBigUint64(at + 32, true)),
    };
  });
}

function neededBy(file: Uint8Array, view: DataView, segments: readonly Segment[]): string[] {
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined) return [];
  const entries = Array.from({ length: Math.floor(dynamic.size / 16) }, (_, i) => {
    const at = dynamic.offset + i * 16;
    return [view.getBigUint64(at, true), Number(view.getBigUint64(at + 8, true))] as const;
  });
  const strings = entries.find(([tag]) => tag === DT_STRTAB)?.[1] ?? 0;
  const home = segments.find(({ type, address, size }) =>
    type === PT_LOAD && strings >= address && strings < address + size
  );
  const base = strings - (home?.address ?? 0) + (home?.offset ?? 0);
  return entries.filter(([tag]) => tag === DT_NEEDED)
    .map(([, offset]) => textAt(file, base + offset));
}

function textAt(file: Uint8Array, start: number): string {
  return new TextDecoder().decode(file.subarray(start, file.indexOf(0, start)));
}

/**
 * The libraries that programs need, directly or indirectly, all in one folder.
 *
 * @param programs paths of ELF files.
 * @returns paths in that folder, including the loader, since libc needs it.
 * @throws {LabError} if a library is not in the folder.
 */
export async function librariesIn(folder: string, programs: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  const visit = async (path: string): Promise<void> => {
    for (const name of elfFacts(await Deno.readFile(path))?.needed ?? []) {
      const library = `${folder}/${name}`;
      if (found.has(library)) continue;
      found.add(library);
      await visit(library).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        throw new LabError(`${path} needs ${name}, which is not in ${folder}`);
      });
    }
  };
  for (const program of programs) await visit(program);
  return [...found];
}
