/**
 * The processors that this thread may run on.
 *
 * @module
 */
import { call } from "./libc.ts";
import { bytes } from "./structs.ts";

/** Bytes of a cpu_set_t, which has a bit for each of 1024 processors. */
const SET_SIZE = 128;

/** The numbers of the processors that this thread may run on, sched_getaffinity(2); none if unknown. */
export function processors(): number[] {
  const set = bytes(SET_SIZE);
  if (call("sched_getaffinity", 0, SET_SIZE, set) < 0) return [];
  return [...set].flatMap((byte, i) => {
    const bits = [...byte.toString(2)].reverse();
    return bits.flatMap((bit, at) => bit === "1" ? [8 * i + at] : []);
  });
}

/** Has this thread do something on each processor that it may run on, sched_setaffinity(2). */
export function onEachProcessor(body: () => void): void {
  const own = processors();
  try {
    for (const processor of own) {
      if (setProcessors([processor]) === 0) body();
    }
  } finally {
    setProcessors(own);
  }
}

function setProcessors(numbers: readonly number[]): number {
  const set = bytes(SET_SIZE);
  for (const number of numbers) set[number >> 3] = (set[number >> 3] ?? 0) | 1 << (number & 7);
  return call("sched_setaffinity", 0, SET_SIZE, set);
}
