/**
 * Completions for fish.
 *
 * @module
 */
import { type CommandShape, origin, type Value } from "./shape.ts";

/** A file of completions, to be sourced. */
export function fish(shapes: readonly CommandShape[], cases: readonly string[]): string {
  const key = (path: readonly string[], ...more: string[]) =>
    quoted(["", ...path, ...more].join(" "));
  const commands = shapes.filter(({ path }) => path.length > 0).map(({ path }) => key(path));
  const valued = shapes.flatMap(({ path, options }) =>
    options.filter(({ value }) => value).flatMap(({ names }) =>
      names.map((name) => key(path, name))
    )
  );
  return `${origin("fish")}

function __vsock_conformance_at --description "Whether this command is being completed"
    set -l path ""
    set -l value no
    for word in (commandline -opc)[2..-1]
        if test $value = yes
            set value no
            continue
        end
        switch "$path $word"
            case ${commands.join(" ")}
                set path "$path $word"
            case ${valued.join(" ")}
                set value yes
        end
    end
    test "$path" = "$argv[1]"
end

function __vsock_conformance_cases --description "The ids of cases"
    printf '%s\\n' ${cases.join(" ")}
end

complete -c vsock-conformance -f
${shapes.flatMap(linesOf).join("\n")}
`;
}

function linesOf({ path, options, commands, argument }: CommandShape): string[] {
  const at = quoted(`__vsock_conformance_at '${["", ...path].join(" ")}'`);
  const begin = `complete -c vsock-conformance -n ${at}`;
  return [
    ...commands.map(({ name, description }) => `${begin} -a ${name} -d ${quoted(description)}`),
    ...(argument === undefined ? [] : [`${begin} ${offer(argument)}`]),
    ...options.map(({ names, description, value }) => {
      const flags = names.map((name) =>
        name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`
      );
      const what = value === undefined ? "" : ` ${takes(value)} ${offer(value)}`.trimEnd();
      return `${begin} ${flags.join(" ")}${what} -d ${quoted(description)}`;
    }),
  ];
}

/** The flags for an option with a value; by default fish offers files as well. */
function takes({ kind }: Value): string {
  return kind === "file" || kind === "report" ? "-r" : "-x";
}

function offer(value: Value): string {
  switch (value.kind) {
    case "words":
      return `-a ${quoted(value.words.join(" "))}`;
    case "case":
      return "-a '(__vsock_conformance_cases)'";
    case "file":
      return "-F";
    case "folder":
      return "-a '(__fish_complete_directories)'";
    case "report":
      return `-F -a ${quoted(value.formats.map((name) => `${name}=`).join(" "))}`;
    case "any":
      return "";
  }
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
