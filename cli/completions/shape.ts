/**
 * The structure of a command line, from which completions are made.
 *
 * @module
 */

/** The kinds of values. */
export type Value =
  | { readonly kind: "words"; readonly words: readonly string[] }
  /** The id of a case. */
  | { readonly kind: "case" }
  | { readonly kind: "file" }
  | { readonly kind: "folder" }
  /** A format, "=", and a file. */
  | { readonly kind: "report"; readonly formats: readonly string[] }
  /** Anything; nothing is offered. */
  | { readonly kind: "any" };

/** An option. */
export interface OptionShape {
  /** With their dashes. */
  readonly names: readonly string[];
  readonly description: string;
  /** Undefined if the option takes no value. */
  readonly value?: Value;
}

/** A command with everything that can follow it. */
export interface CommandShape {
  /** The words that call it; none for the program itself. */
  readonly path: readonly string[];
  readonly options: readonly OptionShape[];
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  /** The kind of its arguments, if it takes any. */
  readonly argument?: Value;
}

/** The comment at the beginning of every file of completions. */
export function origin(shell: string): string {
  return `# Made by "vsock-conformance completions ${shell}"; make it again after an update.`;
}
