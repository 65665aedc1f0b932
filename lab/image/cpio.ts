/**
 * Writes archives for the kernel's initramfs: cpio in the "newc" format, see
 * Documentation/driver-api/early-userspace/buffer-format.rst.
 *
 * @module
 */

/** One entry of an archive. */
export type CpioEntry =
  | { readonly path: string; readonly data: Uint8Array; readonly executable?: boolean }
  | { readonly path: string; readonly folder: true }
  | { readonly path: string; readonly link: string };

const FOLDER = 0o040755;
const LINK = 0o120777;
const FILE = 0o100644;
const PROGRAM = 0o100755;

/**
 * Writes an archive.
 *
 * @param entries in order, with every folder before its contents.
 */
export function cpio(entries: readonly CpioEntry[]): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const records = entries.map((entry, i) => {
    if ("folder" in entry) return record(i + 1, FOLDER, entry.path, new Uint8Array());
    if ("link" in entry) return record(i + 1, LINK, entry.path, encoder.encode(entry.link));
    return record(i + 1, entry.executable ? PROGRAM : FILE, entry.path, entry.data);
  });
  return concatenate([...records, record(0, 0, "TRAILER!!!", new Uint8Array())].flat());
}

function record(inode: number, mode: number, path: string, data: Uint8Array): Uint8Array[] {
  const name = new TextEncoder().encode(`${path}\0`);
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = fields.map((field) => field.toString(16).padStart(8, "0")).join("");
  const head = new TextEncoder().encode(`070701${header}`);
  return [head, name, padding(head.length + name.length), data, padding(data.length)];
}

/** Zeros up to the next multiple of four bytes. */
function padding(length: number): Uint8Array {
  return new Uint8Array(-length & 3);
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
