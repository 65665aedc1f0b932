/**
 * Selectors: case ids with `*` for one part or a piece of one, and `**` for any number of parts.
 *
 * @module
 */

/** A selector that matches nothing; very likely a typing error. */
export class UnmatchedSelectorError extends Error {
  /** Tells it from other errors. */
  override readonly name = "UnmatchedSelectorError";

  /**
   * Names the selector.
   *
   * @param nearest an id that may have been meant.
   */
  constructor(selector: string, nearest: string | undefined) {
    const hint = nearest === undefined ? "" : `; did you mean ${nearest}?`;
    super(`Cannot select "${selector}": no case matches${hint} (the command "list" shows all)`);
  }
}

/** Whether an id is selected. `seqpacket` alone selects all below it, as `seqpacket/**` does. */
export function matches(selector: string, id: string): boolean {
  const pattern = selector.replace(/\/+$/, "").split("/");
  const parts = id.split("/");
  const wild = pattern.some((part) => part.includes("*"));
  return matchParts(!wild && pattern.length < parts.length ? [...pattern, "**"] : pattern, parts);
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
 * The items that selectors choose, in the items' order; all of them where there is no selector.
 *
 * @throws {UnmatchedSelectorError} for a selector that chooses nothing.
 */
export function select<T extends { readonly id: string }>(
  items: readonly T[],
  selectors: readonly string[],
): T[] {
  const chosen = new Set<T>();
  for (const selector of selectors) {
    const found = items.filter(({ id }) => matches(selector, id));
    if (found.length === 0) {
      throw new UnmatchedSelectorError(selector, nearest(selector, items.map(({ id }) => id)));
    }
    for (const item of found) chosen.add(item);
  }
  return items.filter((item) => selectors.length === 0 || chosen.has(item));
}

/** The id that shares most words with a selector, if any does. */
function nearest(selector: string, ids: readonly string[]): string | undefined {
  const words = new Set(selector.split(/[^a-z0-9]+/).filter((word) => word.length > 2));
  const score = (id: string) => id.split(/[^a-z0-9]+/).filter((word) => words.has(word)).length;
  const best = [...ids].sort((a, b) => score(b) - score(a))[0];
  return best !== undefined && score(best) > 0 ? best : undefined;
}
