import assert from "node:assert/strict";
import { moduleInfo } from "./modinfo.ts";
import { withoutDebug } from "./strip.ts";

const HEADER = 64;
const SECTION = 64;
const PROGBITS = 1;
const NULL = 0;

/** An ELF file of 64 bits with these sections behind the first, empty one. */
function elf(sections: readonly (readonly [name: string, data: string, align: number])[]) {
  const encoder = new TextEncoder();
  const named = [["", "", 0] as const, ...sections, [".shstrtab", "", 1] as const];
  const names = named.map(([name]) => `${name}\0`).join("");
  const data = named.map(([name, text]) => encoder.encode(name === ".shstrtab" ? names : text));
  const table = HEADER + data.reduce((sum, { length }) => sum + 16 + length, 0);
  const file = new Uint8Array(table + SECTION * named.length);
  const view = new DataView(file.buffer);
  view.setUint32(0, 0x7f454c46);
  file.set([2, 1], 4);
  view.setBigUint64(40, BigInt(table), true);
  view.setUint16(58, SECTION, true);
  view.setUint16(60, named.length, true);
  view.setUint16(62, named.length - 1, true);
  let [end, nameAt] = [HEADER, 0];
  named.forEach(([name, , align], i) => {
    const bytes = data[i] ?? new Uint8Array();
    end = Math.ceil(end / 16) * 16;
    file.set(bytes, end);
    const at = table + SECTION * i;
    view.setUint32(at, nameAt, true);
    view.setUint32(at + 4, i === 0 ? NULL : PROGBITS, true);
    view.setBigUint64(at + 24, BigInt(end), true);
    view.setBigUint64(at + 32, BigInt(bytes.length), true);
    view.setBigUint64(at + 48, BigInt(align), true);
    end += bytes.length;
    nameAt += name.length + 1;
  });
  return file;
}

/** The sections of a file: name, type, data, and whether each stands where it must. */
function sectionsOf(file: Uint8Array) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const long = (at: number) => Number(view.getBigUint64(at, true));
  const decoder = new TextDecoder();
  const headers = Array.from(
    { length: view.getUint16(60, true) },
    (_, i) => long(40) + SECTION * i,
  );
  const names = headers[view.getUint16(62, true)] ?? 0;
  return headers.map((at) => {
    const from = long(names + 24) + view.getUint32(at, true);
    const [offset, size, align] = [long(at + 24), long(at + 32), long(at + 48)];
    return {
      name: decoder.decode(file.subarray(from, file.indexOf(0, from))),
      type: view.getUint32(at + 4, true),
      data: decoder.decode(file.subarray(offset, offset + size)),
      isAligned: align < 2 || offset % align === 0,
    };
  });
}

const INFO = "license=GPL\0depends=vsock\0";
const SECTIONS = [
  [".text", "text", 16],
  [".debug_info", "x".repeat(5000), 1],
  [".rela.debug_info", "y".repeat(3000), 8],
  [".modinfo", INFO, 1],
  [".zdebug_line", "z".repeat(100), 1],
  [".data", "data", 8],
] as const;

Deno.test("withoutDebug() leaves out what debuggers read, and keeps the sections' numbers", () => {
  const whole = elf(SECTIONS);
  const stripped = withoutDebug(whole);
  assert.ok(stripped.length < whole.length - 8000, `${stripped.length} of ${whole.length}`);
  const sections = sectionsOf(stripped);
  assert.deepEqual(sections.map(({ name }) => name), sectionsOf(whole).map(({ name }) => name));
  for (const { name, type, data, isAligned } of sections) {
    const kept = SECTIONS.find(([each]) => each === name && !each.includes("debug"));
    if (kept !== undefined) assert.deepEqual([type, data, isAligned], [PROGBITS, kept[1], true]);
    if (name.includes("debug")) assert.deepEqual([type, data], [NULL, ""]);
  }
  assert.deepEqual(moduleInfo(stripped).get("depends"), ["vsock"]);
});

Deno.test("withoutDebug() leaves alone what has no debug sections, and what is no ELF file", () => {
  const plain = elf([[".text", "text", 16]]);
  assert.equal(withoutDebug(plain), plain);
  for (const text of ["", "no module", "\x7fELF".padEnd(100, "\xff")]) {
    const other = Uint8Array.from(text, (character) => character.charCodeAt(0));
    assert.equal(withoutDebug(other), other);
  }
});
