/**
 * Selectors: ids of cases with `*` for a component or a part of one, and `**` for any number of
 * components.
 *
 * @module
 */
import { ExpectedError } from "./error.ts";

/** A selector that matches nothing, probably because of a typo, or that leaves nothing. */
export class UnmatchedSelectorError extends ExpectedError {
  /** Tells it from other errors. */
  override readonly name = "UnmatchedSelectorError";

  /**
   * Makes the error for a selector.
   *
   * @param why what is wrong with it.
   */
  constructor(selector: string, why: string) {
    super(`Cannot select "${selector}": ${why} (the command "list" shows all)`);
  }
}

/** The prefix of a selector that excludes cases. */
const NOT = "!";

/** Whether a selector matches an id. `stream/*` also matches everything below, as `stream` does. */
export function matches(selector: string, id: string): boolean {
  const pattern = selector.replace(/\/+$/, "").split("/");
  const parts = id.split("/");
  return matchParts([...pattern, "**"], parts);
}

function matchParts(pattern: readonly string[], parts: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return parts.length === 0;
  if (first === "**") {
    return parts.some((_, i) => matchParts(rest, parts.slice(i))) || matchParts(rest, []);
  }
  const [part, ...others] = parts;
  if (part === undefined) return false;
  const escaped = first.split("*").map((piece) => piece.replace(/[^a-z0-9-]/gi, "\\$&"));
  return new RegExp(`^${escaped.join("[^/]*")}$`).test(part) && matchParts(rest, others);
}

/**
 * The items that selectors choose, in the items' order; all of them if no selector chooses any. A
 * selector with a leading `!` excludes items, no matter where it is placed.
 *
 * @throws {UnmatchedSelectorError} for a selector that matches nothing, and if nothing is left.
 */
export function select<T extends { readonly id: string }>(
  items: readonly T[],
  selectors: readonly string[],
): T[] {
  const found = (selector: string) => {
    const pattern = selector.startsWith(NOT) ? selector.slice(NOT.length) : selector;
    const matching = items.filter(({ id }) => matches(pattern, id));
    if (matching.length > 0) return matching;
    const near = nearest(pattern, items.map(({ id }) => id));
    const mark = selector.startsWith(NOT) ? NOT : "";
    const hint = near === undefined ? "" : `; did you mean ${mark}${near}?`;
    throw new UnmatchedSelectorError(selector, `no case matches${hint}`);
  };
  const [without, chosen] = [new Set<T>(), new Set<T>()];
  for (const selector of selectors) {
    const into = selector.startsWith(NOT) ? without : chosen;
    for (const item of found(selector)) into.add(item);
  }
  const isChosen = (item: T) => selectors.every((s) => s.startsWith(NOT)) || chosen.has(item);
  const left = items.filter((item) => isChosen(item) && !without.has(item));
  const last = selectors.findLast((selector) => selector.startsWith(NOT));
  if (left.length === 0 && last !== undefined) {
    throw new UnmatchedSelectorError(last, "no case is left of those chosen");
  }
  return left;
}

/** The id or prefix whose spelling is closest to a selector; otherwise one with a similar end. */
function nearest(selector: string, ids: readonly string[]): string | undefined {
  const word = selector.replace(/(\/\**)+$/, "");
  const folders = ids.flatMap((id) => {
    const parts = id.split("/");
    return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
  });
  const depth = word.split("/").length;
  const endOf = (path: string) => path.split("/").slice(-depth).join("/");
  return nearestBy(word, folders, (path) => path) ?? nearestBy(word, folders, endOf);
}

/** The candidate whose `spelling` is closest to a word; up to a third may differ. */
function nearestBy(
  word: string,
  paths: readonly string[],
  spelling: (path: string) => string,
): string | undefined {
  let best: string | undefined;
  let least = Math.floor(word.length / 3) + 1;
  for (const path of new Set(paths)) {
    const distance = editDistance(word, spelling(path), least);
    if (distance < least) [best, least] = [path, distance];
  }
  return best;
}

/**
 * The number of insertions, deletions, replacements and transpositions that turn one word into
 * another (Damerau-Levenshtein distance); at most `limit`.
 */
function editDistance(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) return limit;
  let [before, last]: [number[], number[]] = [
    [],
    Array.from({ length: to.length + 1 }, (_, i) => i),
  ];
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      const at = (cells: readonly number[], k: number) => cells[k] ?? limit;
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + same);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        cost = Math.min(cost, at(before, j - 2) + 1);
      }
      row.push(cost);
    }
    [before, last] = [last, row];
  }
  return Math.min(last.at(-1) ?? limit, limit);
}
