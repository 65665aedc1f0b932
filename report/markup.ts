/**
 * XML and HTML from text: whatever is put in is escaped, but for what was made here.
 *
 * @module
 */

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
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/** Text within XML 1.0: what that cannot hold is shown by a picture of it, as U+241B for escape. */
export function escapeXml(value: string | number): string {
  return String(value).toWellFormed()
    .replace(/[&<>"\t\n\r]/g, (character) => NAMED[character] ?? "")
    // deno-lint-ignore no-control-regex
    .replace(/[\u0000-\u001f]/g, (c) => String.fromCharCode(0x2400 + c.charCodeAt(0)))
    .replace(/[\u007f-\u009f\ufffe\uffff]/g, "\ufffd");
}
