import type { ConformanceCase } from "../../kit/mod.ts";
import { findCase } from "../../suites/catalogue.ts";

/** A case of the catalogue that a test is about. */
export function knownCase(id: string): ConformanceCase {
  const found = findCase(id);
  if (found === undefined) throw new Error(`the catalogue has no case ${id}`);
  return found;
}
