/**
 * Makes text from outside harmless: text from a peer, a console or a file must not control a
 * terminal, change the direction of the text beside it, or start a new line in a report.
 *
 * @module
 */

/** White space and line ends, which become one space. */
const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;

/**
 * Invisible characters: controls (C0, C1), format characters (including bidi controls and marks),
 * unpaired surrogates, and noncharacters.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}]/gu;

/** Text from outside on one line, with everything visible: ESC becomes U+241B, its picture. */
export function oneLine(text: string): string {
  return text.replace(BREAKS, " ").replace(UNSAFE, pictureOf);
}

/** Text from outside with several lines, each cleaned like {@linkcode oneLine}. */
export function cleanLines(text: string): string {
  return text.split("\n").map(oneLine).join("\n");
}

/** Harmless JSON text with the same meaning: invisible characters are written as escapes. */
export function jsonText(value: unknown): string {
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value, null, 2)
    .replace(
      UNSAFE,
      (character) => character === "\n" ? character : character.replace(/[^]/g, escape),
    );
}

/** A JSON value with every string cleaned like {@linkcode oneLine}. */
export function cleanStrings<T>(value: T): T {
  const clean = (value: unknown): unknown => {
    if (typeof value === "string") return oneLine(value);
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, clean(of)]));
  };
  return clean(value) as T;
}

/** The first of Unicode's pictures of control characters. */
const PICTURES = 0x2400;
const DELETE = 0x7f;

function pictureOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code === DELETE) return "\u2421";
  return code < 0x20 ? String.fromCharCode(PICTURES + code) : "\ufffd";
}
