/**
 * What it takes to reach the lines that no case of 2026 reached: fixtures/coverage.json has groups of
 * lines, by function, counted from the function's first line.
 *
 * @module
 */
import type { CoveredFile } from "./model.ts";

const DATA = new URL("../fixtures/coverage.json", import.meta.url);

/** Who can reach a group of lines. */
export type Way =
  | "sockets"
  | "wire"
  | "VMM"
  | "fault injection"
  | "load"
  | "boot"
  | "hotplug"
  | "configuration"
  | "nothing";

/** A group of lines. */
export interface Group {
  readonly name: string;
  readonly way: Way;
  /** What it takes. */
  readonly what: string;
  readonly lines: readonly {
    readonly path: string;
    readonly function: string;
    /** How many lines the function had: with another number of lines they are others. */
    readonly length: number;
    /** Ranges of lines, counted from the function's first line, which is 0. */
    readonly ranges: readonly (readonly [number, number])[];
  }[];
}

/** Reads the groups. */
export async function readGroups(): Promise<readonly Group[]> {
  return JSON.parse(await Deno.readTextFile(DATA)).groups;
}

/** The group of each line of a source, where one is known. */
export function groupsOf(file: CoveredFile, groups: readonly Group[]): ReadonlyMap<number, Group> {
  const found = new Map<number, Group>();
  for (const group of groups) {
    for (const entry of group.lines) {
      if (entry.path !== file.path) continue;
      const { from, to } = file.functions.find(({ name }) => name === entry.function) ?? {};
      if (from === undefined || to === undefined || to - from !== entry.length) continue;
      for (const [first, last] of entry.ranges) {
        for (let line = first; line <= last; line++) found.set(from + line, group);
      }
    }
  }
  return found;
}
