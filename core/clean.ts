/**
 * Foreign text made harmless: what a peer, a console or a file says must not drive a terminal, turn
 * the direction of what stands beside it, or begin a line of its own in a report.
 *
 * @module
 */

/** Moves on or to another line: all of it is one space. */
const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;

/**
 * What is seen by its effect alone, if at all: controls (C0, C1), format characters (the bidi
 * controls and marks among them), halves of surrogate pairs, and what is no character.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]/gu;

/** Foreign text on one line, in which everything is visible: escape is U+241B, its picture. */
export function oneLine(text: string): string {
  return text.replace(BREAKS, " ").replace(UNSAFE, pictureOf);
}

/** Foreign text of several lines, each as {@linkcode oneLine} has it. */
export function cleanLines(text: string): string {
  return text.split("\n").map(oneLine).join("\n");
}

/** JSON as text that is as harmless, and means the same: what is not seen is written as an escape. */
export function jsonText(value: unknown): string {
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value, null, 2)
    .replace(
      UNSAFE,
      (character) => character === "\n" ? character : character.replace(/[^]/g, escape),
    );
}

/** JSON with every string in it as {@linkcode oneLine} has it. */
export function cleanStrings<T>(value: T): T {
  const clean = (value: unknown): unknown => {
    if (typeof value === "string") return oneLine(value);
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, clean(of)]));
  };
  return clean(value) as T;
}

/** The pictures of control characters begin here in Unicode. */
const PICTURES = 0x2400;
const DELETE = 0x7f;

function pictureOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code === DELETE) return "\u2421";
  return code < 0x20 ? String.fromCharCode(PICTURES + code) : "\ufffd";
}
