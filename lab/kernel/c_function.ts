/**
 * Functions in a kernel's C source, as far as its coding style lets one find them without parsing: a
 * function's braces stand alone in the first column.
 *
 * @module
 */
import { LabError } from "../error.ts";

/** A function's definition. */
export interface CFunction {
  readonly name: string;
  /** All before its brace, `static` and its type included. */
  readonly signature: string;
  /** The names of its parameters. */
  readonly parameters: readonly string[];
  /** Where its signature begins in the source, and where the line after its last brace does. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Replaces lines of a source that it has exactly once.
 *
 * @param place is named in errors.
 * @returns the changed source, and where in the old one the change is.
 * @throws {LabError} where it has them never, or several times.
 */
export function applyHunk(
  source: string,
  { right, wrong }: { readonly right: string; readonly wrong: string },
  place: string,
): { readonly at: number; readonly text: string } {
  const begin = `\n${source}`.indexOf(`\n${right}`);
  if (begin < 0) {
    throw new LabError(`Cannot plant ${place}: this kernel's source does not have its lines`);
  }
  if (`\n${source}`.indexOf(`\n${right}`, begin + 1) >= 0) {
    throw new LabError(`Cannot plant ${place}: the source has its lines more than once`);
  }
  const text = source.slice(0, begin) + wrong + source.slice(begin + right.length);
  const common = [...right].findIndex((char, i) => wrong[i] !== char);
  return { at: begin + (common < 0 ? right.length : common), text };
}

/**
 * The function that a place of a source is in.
 *
 * @param place is named in errors.
 * @throws {LabError} where it is in none.
 */
export function functionAt(source: string, at: number, place: string): CFunction {
  const open = source.lastIndexOf("\n{\n", at);
  const close = source.indexOf("\n}\n", open);
  if (open < 0 || close < at) throw new LabError(`Cannot plant ${place}: it is in no function`);
  const lines = source.slice(0, open).split("\n");
  let first = lines.length;
  while (first > 0 && /^(?!#)(?!.*(;|\}|\*\/)$)./.test(lines[first - 1] ?? "")) first--;
  const signature = lines.slice(first).join("\n");
  const [, name, list] = /(\w+)\s*\(([^]*)\)$/.exec(signature) ?? [];
  if (name === undefined || list === undefined) {
    throw new LabError(`Cannot plant ${place}: "${signature}" is no function's head`);
  }
  const begin = open - signature.length;
  return { name, signature, parameters: parametersIn(list), begin, end: close + "\n}\n".length };
}

/** The names of the parameters in a list of them. */
function parametersIn(list: string): string[] {
  if (/^\s*(void)?\s*$/.test(list)) return [];
  return list.split(/,(?![^(]*\))/).map((text) =>
    (/\(\*(\w+)\)/.exec(text) ?? /(\w+)\s*(?:\[\])?\s*$/.exec(text))?.[1] ?? ""
  );
}

/** A function's definition under another name, for its own file only. */
export function renamed(definition: string, name: string, to: string): string {
  const own = definition.replace(new RegExp(`\\b${name}\\b`), to);
  return own.startsWith("static ") ? own : `static ${own}`;
}
