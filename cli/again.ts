/**
 * What a command was called with, as a report keeps it: the arguments that run cases on the same
 * machines again, and none that nobody else is to see.
 *
 * @module
 */

/** What is asked of a command. */
interface CommandLine {
  readonly options: readonly {
    readonly long?: string | undefined;
    readonly short?: string | undefined;
    readonly required: boolean;
    readonly optional: boolean;
    attributeName(): string;
  }[];
  readonly parent: CommandLine | null;
  name(): string;
}

/** Options, as commander names their values, that are not of the machines but of one run. */
const OF_ONE_RUN: readonly string[] = [
  ...["direction", "exclude", "failFast", "jobs", "ktap", "quick", "quiet", "repeat"],
  ...["report", "rerunFailed", "seed", "shuffle", "untilFailure"],
];

/**
 * The arguments of a command but for the cases and what is of one run alone.
 *
 * @param args all that the tool was called with.
 */
export function againArguments(command: CommandLine, args: readonly string[]): string[] {
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

function namesOf(command: CommandLine): string[] {
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
