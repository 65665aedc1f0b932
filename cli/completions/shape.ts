/**
 * A command line as what completes it sees it.
 *
 * @module
 */

/** What a value may be. */
export type Value =
  | { readonly kind: "words"; readonly words: readonly string[] }
  /** The id of a case. */
  | { readonly kind: "case" }
  | { readonly kind: "file" }
  | { readonly kind: "folder" }
  /** A format, "=", and a file. */
  | { readonly kind: "report"; readonly formats: readonly string[] }
  /** Nothing that could be offered. */
  | { readonly kind: "any" };

/** An option. */
export interface OptionShape {
  /** With their dashes. */
  readonly names: readonly string[];
  readonly description: string;
  /** Missing where the option takes none. */
  readonly value?: Value;
}

/** A command with what can follow it. */
export interface CommandShape {
  /** The names that lead to it; none for the program itself. */
  readonly path: readonly string[];
  readonly options: readonly OptionShape[];
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  /** What its arguments are, if it takes any. */
  readonly argument?: Value;
}

/** What each file of completions begins with. */
export function origin(shell: string): string {
  return `# Made by "vsock-conformance completions ${shell}"; make it again after an update.`;
}
