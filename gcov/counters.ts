/**
 * Arithmetic with gcov's files of counters (.gcda): what was counted between two readings, and the
 * sum of what several kernels of the same build have counted.
 *
 * The format is GCC's (gcc/gcov-io.h): words of 32 bits in the machine's order; a head (magic,
 * version, stamp, and since GCC 12 a checksum), then records of a tag, a length and as much data. The
 * lengths are in bytes since GCC 12, and in words before. Counters have 64 bits, the low word first.
 *
 * @module
 */
import type { CounterFiles } from "../control/counters_wire.ts";
import { LabError } from "../lab/error.ts";

const MAGIC = 0x67636461;
/** The tag of the counters of arcs; the tags of other counters follow in steps of that size. */
const ARCS = 0x01a10000;
const STEP = 0x00020000;
const KINDS = 16;
/** The first major version whose lengths are in bytes. */
const BYTES_SINCE = 12;

/** The offsets of all counters in a file. */
function countersIn(name: string, data: Uint8Array): number[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const word = (at: number) => {
    if (at + 4 > data.length) throw new LabError(`The counters of ${name} are cut off`);
    return view.getUint32(at, true);
  };
  if (word(0) !== MAGIC) throw new LabError(`The counters of ${name} are not in GCC's format`);
  const isNew = majorOf(word(4)) >= BYTES_SINCE;
  const offsets: number[] = [];
  for (let at = isNew ? 16 : 12; at + 8 <= data.length;) {
    const tag = word(at);
    const length = (word(at + 4) | 0) * (isNew ? 1 : 4);
    const from = at + 8;
    // A negative length stands for so many counters that are 0, and no data.
    at = from + Math.max(0, length);
    const isCounter = tag >= ARCS && tag < ARCS + KINDS * STEP && (tag - ARCS) % STEP === 0;
    if (!isCounter) continue;
    if (at > data.length) throw new LabError(`The counters of ${name} are cut off`);
    for (let each = from; each < at; each += 8) offsets.push(each);
  }
  return offsets;
}

/** GCC's major version: of four characters, the first two are it, since GCC 10. */
function majorOf(version: number): number {
  const [tens, units] = [version >>> 24, (version >>> 16) & 0xff];
  return 10 * (tens - 0x41) + (units - 0x30);
}

type Combine = (a: bigint, b: bigint) => bigint;

function combined(
  name: string,
  a: Uint8Array,
  b: Uint8Array,
  combine: Combine,
): Uint8Array {
  const offsets = countersIn(name, a);
  if (a.length !== b.length || String(countersIn(name, b)) !== String(offsets)) {
    throw new LabError(`The counters of ${name} are of two builds`);
  }
  const result = a.slice();
  const [from, other] = [a, b].map((each) => new DataView(each.buffer, each.byteOffset));
  const into = new DataView(result.buffer);
  for (const at of offsets) {
    const value = combine(
      from?.getBigUint64(at, true) ?? 0n,
      other?.getBigUint64(at, true) ?? 0n,
    );
    into.setBigUint64(at, value, true);
  }
  return result;
}

/** The sum of two readings; a file that only one has is taken from that. */
export function sumOf(a: CounterFiles, b: CounterFiles): CounterFiles {
  const sum = new Map(a);
  for (const [name, data] of b) {
    const known = a.get(name);
    sum.set(name, known === undefined ? data : combined(name, known, data, (x, y) => x + y));
  }
  return sum;
}

/**
 * What was counted between two readings of a kernel.
 *
 * @returns undefined if a counter is lower than it was: that is another kernel.
 */
export function since(before: CounterFiles, now: CounterFiles): CounterFiles | undefined {
  let isLower = false;
  const grown = new Map<string, Uint8Array>();
  for (const [name, data] of now) {
    const old = before.get(name);
    const growth = old === undefined ? data : combined(name, data, old, (x, y) => {
      isLower ||= x < y;
      return x < y ? 0n : x - y;
    });
    grown.set(name, growth);
  }
  return isLower || before.size > now.size ? undefined : grown;
}

/** Those files that have a counter which is not 0. */
export function counting(files: CounterFiles): CounterFiles {
  return new Map([...files].filter(([name, data]) => {
    const view = new DataView(data.buffer, data.byteOffset);
    return countersIn(name, data).some((at) => view.getBigUint64(at, true) !== 0n);
  }));
}
