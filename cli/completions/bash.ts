/**
 * Completions for bash.
 *
 * @module
 */
import { type CommandShape, origin, type Value } from "./shape.ts";

/** A file of completions, to be sourced. */
export function bash(shapes: readonly CommandShape[], cases: readonly string[]): string {
  return `${origin("bash")}

_vsock_conformance_offer() {
  mapfile -t COMPREPLY < <(compgen "$@" -- "$cur")
}

_vsock_conformance_report() {
  compopt -o nospace
  _vsock_conformance_offer -W "$1"
}

_vsock_conformance() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path="" option="" i
  local cases="${cases.join(" ")}"
  COMPREPLY=()
${position(shapes)}
  if [[ $cur == = || \${COMP_WORDS[COMP_CWORD-1]} == = ]]; then
    [[ $cur == = ]] && cur=""
    if [[ -z $option ]]; then
      compopt -o filenames
      _vsock_conformance_offer -f
      return
    fi
  fi
  if [[ -n $option ]]; then
    case "$path $option" in
${valued(shapes).map(({ keys, value }) => `      ${keys}) ${offer(value)} ;;`).join("\n")}
    esac
    return
  fi
  case "$path" in
${shapes.map((shape) => `    ${key(shape.path)}) ${following(shape)} ;;`).join("\n")}
  esac
}

complete -F _vsock_conformance vsock-conformance
`;
}

/** A command, or what follows it, as a pattern. */
function key(path: readonly string[], ...more: string[]): string {
  return `"${["", ...path, ...more].join(" ")}"`;
}

/** The options with a value, each with all its names as a pattern. */
function valued(shapes: readonly CommandShape[]): { keys: string; value: Value }[] {
  return shapes.flatMap(({ path, options }) =>
    options.flatMap(({ names, value }) =>
      value === undefined ? [] : [{ keys: names.map((name) => key(path, name)).join("|"), value }]
    )
  );
}

/** Finds the command that is being completed, and the option whose value is next, if one is. */
function position(shapes: readonly CommandShape[]): string {
  const commands = shapes.filter(({ path }) => path.length > 0).map(({ path }) => key(path));
  return `  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
      ${commands.join("|")})
        path="$path \${COMP_WORDS[i]}" ;;
      ${valued(shapes).map(({ keys }) => keys).join("|")})
        option=\${COMP_WORDS[i]}
        # Bash makes a word of the "=" between an option and its value, too.
        [[ \${COMP_WORDS[i+1]} == = ]] && ((i++))
        ((++i < COMP_CWORD)) && option="" ;;
    esac
  done`;
}

/** Offers everything that can follow a command: commands and options, or an argument. */
function following({ commands, options, argument }: CommandShape): string {
  const words = [...commands.map(({ name }) => name), ...options.flatMap(({ names }) => names)];
  const named = `_vsock_conformance_offer -W "${words.join(" ")}"`;
  if (argument === undefined) return named;
  if (argument.kind === "case") return `_vsock_conformance_offer -W "${words.join(" ")} $cases"`;
  return `if [[ $cur == -* ]]; then ${named}; else ${offer(argument)}; fi`;
}

function offer(value: Value): string {
  switch (value.kind) {
    case "words":
      return `_vsock_conformance_offer -W "${value.words.join(" ")}"`;
    case "case":
      return `_vsock_conformance_offer -W "$cases"`;
    case "file":
      return "compopt -o filenames; _vsock_conformance_offer -f";
    case "folder":
      return "compopt -o filenames; _vsock_conformance_offer -d";
    case "report":
      return `_vsock_conformance_report "${value.formats.map((name) => `${name}=`).join(" ")}"`;
    case "any":
      return ":";
  }
}
