/**
 * Parses the values of options, with errors that say what to do.
 *
 * @module
 */
import { reasonOf, UsageError } from "../../core/error.ts";
import { type Command, Help, InvalidArgumentError, Option } from "commander";
import { type ControlAddress, parseAddress } from "../../control/channel.ts";
import { PORT_STRIDE } from "../../control/wire.ts";
import { VMADDR_PORT_ANY } from "../../sys/constants.ts";
import { screenOf, writeStderr } from "../../report/screen.ts";

/**
 * Refuses options that have no effect with the given command.
 *
 * @param isIdle whether an option, by commander's name, has no effect.
 * @param why follows the option in the error.
 * @throws {UsageError} naming the first such option.
 */
export function refuseIdle(
  command: Command,
  isIdle: (name: string) => boolean,
  why: string,
): void {
  const found = command.options.find((option) => {
    const name = option.attributeName();
    return isIdle(name) && command.getOptionValueSource(name) === "cli";
  });
  if (found !== undefined) throw new UsageError(`${found.long} ${why}`);
}

/** A whole number in a range, for commander. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Give a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/**
 * An option that takes a time in seconds; its value is in milliseconds.
 *
 * @param fallback the default, in milliseconds.
 */
export function secondsOption(
  flags: `${string} <seconds>`,
  description: string,
  fallback: number,
): Option {
  return new Option(flags, description).argParser(parseSeconds)
    .default(fallback, `${fallback / 1000}`);
}

function parseSeconds(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value < 0.001 || value > 86_400) {
    throw new InvalidArgumentError("Give a time in seconds, from 0.001 to 86400.");
  }
  return Math.round(value * 1000);
}

/** What the option `--hybrid` does. */
export const HYBRID = "Unix socket of the guest's device in user space, used instead of AF_VSOCK";
/** What the option `--stand-in` does. */
export const STAND_IN = "use AF_UNIX instead, under a name given to both sides, to try the tool";

/** For commander's `configureOutput()`: how it writes help and errors. */
export const COMMAND_OUTPUT = {
  writeOut: (text: string): void => screenOf(Deno.stdout).write(text),
  writeErr: writeStderr,
};

/**
 * Adds a `help` command.
 *
 * @param example an example of its use, without the program's name.
 */
export function addHelp(command: Command, example: string): void {
  command.helpCommand(false).command("help").argument("[command]", "which")
    .description("show the help of a command")
    .addHelpText("after", examples(example))
    .action((name) => {
      const found = command.commands.find((below) => below.name() === name);
      if (name !== undefined && found === undefined) {
        command.error(`error: unknown command '${name}'`);
      }
      (found ?? command).help();
    });
}

/**
 * The maximum number of choices that help shows beside an option; for more there is choicesText().
 */
const MAX_CHOICES = 5;
/** The width of help, as commander's on output that is not a terminal. */
const HELP_WIDTH = 80;

/**
 * For commander's `configureHelp()`: shows commands and options briefly, so that help fits a
 * screen.
 */
export const COMMAND_HELP = {
  subcommandTerm: (command: Command): string => command.name(),
  // In a list of commands it is a summary; on the command's own page a sentence.
  commandDescription(command: Command): string {
    const text = command.description();
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.\n]$/.test(text) ? "" : "."}`;
  },
  optionDescription({ description, argChoices, defaultValue, defaultValueDescription }: {
    readonly description: string;
    readonly argChoices?: readonly string[] | undefined;
    readonly defaultValue?: unknown;
    readonly defaultValueDescription?: string | undefined;
  }): string {
    const isShort = argChoices !== undefined && argChoices.length <= MAX_CHOICES;
    const choices = isShort ? ` (${argChoices.join("|")})` : "";
    const usual = defaultValue === undefined ? "" : ` [${defaultValueDescription ?? defaultValue}]`;
    return `${description}${choices}${usual}`;
  },
};

/** The choices of options that have many, for the end of help. */
export function choicesText(title: string, choices: readonly string[]): string {
  const lines = new Help().boxWrap(choices.join(", "), HELP_WIDTH - 2).split("\n");
  return `${title}:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

/** Examples for help; each line is what follows the program's name. */
export function examples(...lines: string[]): string {
  const shown = lines.map((line) => `\n  vsock-conformance ${line}`).join("");
  return `\n${lines.length > 1 ? "Examples" : "Example"}:${shown}`;
}

/** The letters that may follow a size, in powers of 1024. */
const UNITS = "KMGTPE";

/**
 * A size in bytes, as in vsock_perf: `65536`, `64K`, `1G`.
 *
 * @param max the largest, in bytes.
 */
export function sizeOption(min: number, max: number): (text: string) => number {
  return (text) => {
    const match = /^(\d+|0[xX][\da-fA-F]+)([KMGTPE]?)$/i.exec(text);
    const power = 1 + UNITS.indexOf((match?.[2] ?? "").toUpperCase() || " ");
    const value = Number(match?.[1]) * 1024 ** power;
    if (!(value >= min && value <= max)) {
      throw new InvalidArgumentError(
        `Give a size such as 64K, 1M or 1G, from ${min} to ${max} bytes.`,
      );
    }
    return value;
  };
}

/** A CID other than the wildcard. */
export const cidOption: (text: string) => number = wholeNumber(0, 0xfffffffe);
/** A port, with room after it for the other ports of a case. */
export const vsockPortOption: (text: string) => number = wholeNumber(
  0,
  VMADDR_PORT_ANY - PORT_STRIDE,
);
/** A TCP port. */
export const tcpPortOption: (text: string) => number = wholeNumber(1, 65535);
/** A seed. */
export const seedOption: (text: string) => number = wholeNumber(0, 0xffffffff);

/** An address of the control channel, for commander. */
export function addressOption(defaultHost: string): (text: string) => ControlAddress {
  return (text) => {
    try {
      return parseAddress(text, defaultHost);
    } catch (error) {
      throw new InvalidArgumentError(reasonOf(error));
    }
  };
}

/** Collects the values of an option that may be repeated. */
export function several<T>(parse: (text: string) => T): (text: string, before?: T[]) => T[] {
  return (text, before = []) => [...before, parse(text)];
}
