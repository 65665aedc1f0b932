/**
 * Finds functions in the kernel's C source without parsing it, thanks to its coding style: the
 * braces of a function stand alone in the first column.
 *
 * @module
 */
import { LabError } from "../error.ts";

/** A function's definition. */
export interface CFunction {
  readonly name: string;
  /** Everything before its brace, including `static` and its type. */
  readonly signature: string;
  /** The names of its parameters. */
  readonly parameters: readonly string[];
  /** The offsets of its signature and of the line after its last brace. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Replaces lines that occur exactly once in a source.
 *
 * @param place what errors call the change.
 * @returns the changed source, and the offset of the change in the old one.
 * @throws {LabError} if the lines do not occur, or occur more than once.
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
 * The function that contains an offset of a source.
 *
 * @param place what errors call the change.
 * @throws {LabError} if there is none.
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

/** The names in a list of parameters. */
function parametersIn(list: string): string[] {
  if (/^\s*(void)?\s*$/.test(list)) return [];
  return list.split(/,(?![^(]*\))/).map((text) =>
    (/\(\*(\w+)\)/.exec(text) ?? /(\w+)\s*(?:\[\])?\s*$/.exec(text))?.[1] ?? ""
  );
}

/** A function's definition with another name, and static. */
export function renamed(definition: string, name: string, to: string): string {
  const own = definition.replace(new RegExp(`\\b${name}\\b`), to);
  return own.startsWith("static ") ? own : `static ${own}`;
}
