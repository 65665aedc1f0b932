/**
 * The kinds of the values of options and arguments, for completions.
 *
 * @module
 */
import { Argument, Option } from "commander";

/** The kind of a value: the id of a case, a file, a folder, or FORMAT=FILE. */
export type ValueKind = "case" | "file" | "folder" | "report";

const KINDS = new WeakMap<Option | Argument, ValueKind>();

/** An option with a kind of value. */
export function optionOf(kind: ValueKind, flags: string, description: string): Option {
  const option = new Option(flags, description);
  KINDS.set(option, kind);
  return option;
}

/** An argument of a kind. */
export function argumentOf(kind: ValueKind, name: string, description?: string): Argument {
  const argument = new Argument(name, description);
  KINDS.set(argument, kind);
  return argument;
}

/** The kind of a value; undefined if nothing can be offered for it. */
export function kindOf(value: Option | Argument): ValueKind | undefined {
  return KINDS.get(value);
}
