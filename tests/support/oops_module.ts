/**
 * A kernel module that makes the kernel report a fault: a sound one whose init function is said to
 * be far behind its code. Loading it is a page fault in the kernel, which the kernel survives.
 *
 * @module
 */

const SHT_RELA = 4;
const SIGNATURE = "~Module signature appended~\n";

/** A 64-bit ELF module, changed. */
export function oopsModule(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(module.slice().buffer);
  const view = new DataView(copy.buffer);
  const word = (at: number) => Number(view.getBigUint64(at, true));
  const sections = word(0x28);
  const [size, count, names] = [0x3a, 0x3c, 0x3e].map((at) => view.getUint16(at, true));
  const header = (index = 0) => sections + index * (size ?? 0);
  const nameAt = (at: number) => {
    const begin = word(header(names) + 0x18) + view.getUint32(at, true);
    return new TextDecoder().decode(copy.subarray(begin, copy.indexOf(0, begin)));
  };
  const relocations = Array.from({ length: count ?? 0 }, (_, i) => header(i)).find((at) =>
    view.getUint32(at + 4, true) === SHT_RELA &&
    nameAt(at) === ".rela.gnu.linkonce.this_module"
  );
  if (relocations === undefined) throw new TypeError("the module has no init function");
  // The first of its two relocations is that of init, which lies before exit in struct module.
  view.setBigInt64(word(relocations + 0x18) + 16, 1n << 30n, true);
  return unsigned(copy);
}

/** Without its signature, which no longer fits: a kernel that wants none then loads it. */
function unsigned(module: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const tail = new TextDecoder("latin1").decode(module.subarray(-SIGNATURE.length));
  if (tail !== SIGNATURE) return module;
  const at = module.length - SIGNATURE.length;
  // struct module_signature: its last field is the length of what lies before it.
  const length = new DataView(module.buffer).getUint32(at - 4, false);
  return module.slice(0, at - 12 - length);
}
