/**
 * What a command was called with, as a report keeps it: the arguments that run cases on the same
 * machines again, and none that nobody else is to see.
 *
 * @module
 */
import type { Command } from "commander";

/** Options, as commander names their values, that are not of the machines but of one run. */
const OF_ONE_RUN: readonly string[] = [
  ...["direction", "exclude", "failFast", "jobs", "ktap", "quiet", "repeat", "report"],
  ...["rerunFailed", "seed", "shuffle", "untilFailure"],
];

/** What the report of a command that runs cases keeps of its arguments. */
export function againOf(command: Command): { readonly again: readonly string[] } {
  return { again: againArguments(command, Deno.args) };
}

/**
 * The arguments of a command but for the cases and what is of one run alone.
 *
 * @param args all that the tool was called with.
 */
export function againArguments(command: Command, args: readonly string[]): string[] {
  const kept = namesOf(command);
  const left = [...args];
  for (let arg; (arg = left.shift()) !== undefined && arg !== "--";) {
    const name = arg.startsWith("--") ? arg.split("=")[0] : arg.slice(0, 2);
    const option = command.options.find(({ long, short }) => name === long || name === short);
    if (option === undefined) continue;
    const isWhole = arg !== name || !(option.required || option.optional);
    const words = isWhole ? [arg] : [arg, ...left.splice(0, 1)];
    if (!OF_ONE_RUN.includes(option.attributeName())) kept.push(...words);
  }
  return withoutSecrets(kept);
}

function namesOf(command: Command): string[] {
  return command.parent === null ? [] : [...namesOf(command.parent), command.name()];
}

/** Options whose values open something to whoever knows them. */
const SECRET = ["--token"];

/** Arguments as others may see them. */
export function withoutSecrets(args: readonly string[]): string[] {
  return args.map((arg, i) => {
    const [name = ""] = arg.split("=");
    if (SECRET.includes(name) && arg !== name) return `${name}=...`;
    return SECRET.includes(args[i - 1] ?? "") ? "..." : arg;
  });
}
