/**
 * XML and HTML from text: whatever is put in is escaped, but for what was made here.
 *
 * @module
 */

import { oneLine } from "../core/clean.ts";

/** Markup that needs no escaping any more. */
export class Markup {
  /** @param text taken as it is. */
  constructor(readonly text: string) {}
}

/** What a template takes. */
export type Part = string | number | Markup | readonly Part[];

/** A template whose values are escaped where they are no markup. */
export function markup(strings: TemplateStringsArray, ...values: readonly Part[]): Markup {
  const pieces = strings.map((string, i) => `${string}${textOf(values[i] ?? "")}`);
  return new Markup(pieces.join(""));
}

function textOf(part: Part): string {
  if (part instanceof Markup) return part.text;
  return typeof part === "object" ? part.map(textOf).join("") : escapeXml(part);
}

const NAMED: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Text on one line within XML 1.0, with nothing in it that cannot be seen. */
export function escapeXml(value: string | number): string {
  return oneLine(String(value)).replace(/[&<>"]/g, (character) => NAMED[character] ?? "");
}
