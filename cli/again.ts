/**
 * The arguments of a command that reports contain: those needed to run cases on the same machines
 * again, without secrets.
 *
 * @module
 */
import type { Command } from "commander";

/** Options (by commander's names) that concern one run rather than the machines. */
const OF_ONE_RUN: readonly string[] = [
  ...["direction", "exclude", "failFast", "jobs", "ktap", "quick", "quiet", "repeat"],
  ...["report", "rerunFailed", "seed", "shard", "shuffle", "untilFailure"],
];

/** The arguments of a command to be stored in a report. */
export function againOf(command: Command): { readonly again: readonly string[] } {
  return { again: againArguments(command, Deno.args) };
}

/**
 * The arguments of a command, without cases and options that concern only one run.
 *
 * @param args all arguments of the tool.
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

/** Options whose values are secrets. */
const SECRET = ["--token"];

/** Arguments without secrets. */
export function withoutSecrets(args: readonly string[]): string[] {
  return args.map((arg, i) => {
    const [name = ""] = arg.split("=");
    if (SECRET.includes(name) && arg !== name) return `${name}=...`;
    return SECRET.includes(args[i - 1] ?? "") ? "..." : arg;
  });
}
