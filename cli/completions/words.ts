/**
 * The command `completions`, which derives them from the program's commands and options.
 *
 * @module
 */
import type { Argument, Command, Option } from "commander";
import { kindOf } from "../options/value.ts";
import { EXIT } from "../../core/outcome.ts";
import { REPORT_FORMATS } from "../../report/formats.ts";
import { CATALOGUE } from "../../suites/catalogue.ts";
import { bash } from "./bash.ts";
import { fish } from "./fish.ts";
import type { CommandShape, OptionShape, Value } from "./shape.ts";
import { zsh } from "./zsh.ts";
import { screenOf } from "../../report/screen.ts";

const SHELLS = { bash, zsh, fish } as const;

/** Prints the completions for a shell. */
export function completions(shell: keyof typeof SHELLS, root: Command): number {
  screenOf(Deno.stdout).write(completionsText(shell, root));
  return EXIT.ok;
}

/** The completions for a shell. */
export function completionsText(shell: keyof typeof SHELLS, root: Command): string {
  return SHELLS[shell](shapesOf(root, []), CATALOGUE.map(({ id }) => id));
}

/** A command and all its subcommands. */
export function shapesOf(command: Command, path: readonly string[]): CommandShape[] {
  const help = command.createHelp();
  const below = help.visibleCommands(command).filter((sub) => sub.name() !== "help");
  const options = help.visibleOptions(command).map((option): OptionShape => ({
    names: [option.short, option.long].flatMap((name) => name ?? []),
    description: option.description,
    ...(option.required || option.optional ? { value: valueOf(option) } : {}),
  }));
  const argument = command.registeredArguments[0];
  const shape: CommandShape = {
    path,
    options,
    commands: below.map((sub) => ({ name: sub.name(), description: sub.description() })),
    ...(argument === undefined ? {} : { argument: valueOf(argument) }),
  };
  return [shape, ...below.flatMap((sub) => shapesOf(sub, [...path, sub.name()]))];
}

/** The kind of a value. */
function valueOf(value: Option | Argument): Value {
  if (value.argChoices !== undefined) return { kind: "words", words: value.argChoices };
  const kind = kindOf(value);
  if (kind === undefined) return { kind: "any" };
  return kind === "report" ? { kind, formats: Object.keys(REPORT_FORMATS) } : { kind };
}
