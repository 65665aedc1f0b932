/**
 * A part of a run, for runs that are split over several machines.
 *
 * @module
 */
import type { CaseInfo } from "./case.ts";

/** Which part of how many. */
export interface Shard {
  /** From 1. */
  readonly index: number;
  /** How many there are. */
  readonly count: number;
}

/**
 * The cases of one shard. Families stay whole, since some of them look at what others of their
 * family leave behind; the largest are dealt out first, each to the shard that has the fewest cases.
 *
 * @returns them in the order in which they were; none where there are fewer families than shards.
 */
export function shardOf<C extends Pick<CaseInfo, "id">>(
  cases: readonly C[],
  { index, count }: Shard,
): C[] {
  const families = new Map<string, C[]>();
  for (const each of cases) {
    const family = familyOf(each);
    families.set(family, [...families.get(family) ?? [], each]);
  }
  const shards = Array.from({ length: count }, () => ({ size: 0, families: new Set<string>() }));
  for (const [family, { length }] of [...families].sort(([, a], [, b]) => b.length - a.length)) {
    const smallest = shards.reduce((least, each) => each.size < least.size ? each : least);
    smallest.size += length;
    smallest.families.add(family);
  }
  return cases.filter((each) => shards[index - 1]?.families.has(familyOf(each)));
}

function familyOf({ id }: Pick<CaseInfo, "id">): string {
  return id.split("/", 1)[0] ?? id;
}
