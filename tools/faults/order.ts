/**
 * Which cases are likely to notice a fault: those that share words with it, the rarer the better.
 * This decides what is run first, and nothing else.
 *
 * @module
 */
import type { Fault } from "../../lab/kernel/faults.ts";
import type { ConformanceCase } from "../../kit/mod.ts";
import { functionsOf } from "../exercised/measure.ts";

/** The words of a text; constants and functions of the kernel are taken apart. */
function wordsOf(...texts: readonly string[]): Set<string> {
  const words = texts.join(" ").toLowerCase().match(/[a-z0-9]{3,}/g) ?? [];
  return new Set(words.map((word) => word.replace(/(?:ing|ed|s)$/, "")));
}

/**
 * Cases in the order in which they are to be run.
 *
 * @param known the ids of those that have noticed the fault before.
 */
export function likeliestFirst(
  cases: readonly ConformanceCase[],
  fault: Pick<Fault, "name" | "what" | "function">,
  known: readonly string[] = [],
): ConformanceCase[] {
  const words = cases.map((each) => wordsOf(each.id, each.title, each.requirement));
  const counts = new Map<string, number>();
  for (const word of words.flatMap((own) => [...own])) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const wanted = [...wordsOf(fault.name, fault.what, fault.function)];
  const scores = new Map(cases.map((each, i) => {
    const shared = wanted.filter((word) => words[i]?.has(word));
    const score = shared.reduce((sum, word) => sum + 1 / (counts.get(word) ?? 1), 0);
    const isAbout = functionsOf(each).includes(fault.function);
    return [each, score + (isAbout ? 1 : 0) + (known.includes(each.id) ? 1000 : 0)];
  }));
  return [...cases].sort((a, b) => (scores.get(b) ?? 0) - (scores.get(a) ?? 0));
}
