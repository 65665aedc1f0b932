/**
 * Completions for zsh.
 *
 * @module
 */
import { type CommandShape, type OptionShape, origin, type Value } from "./shape.ts";

/** A file of completions, named _vsock-conformance, for a folder in $fpath. */
export function zsh(shapes: readonly CommandShape[], cases: readonly string[]): string {
  return `#compdef vsock-conformance
${origin("zsh")}

_vsock_conformance_cases() {
  local -a cases=(${cases.join(" ")})
  compadd "$@" -a cases
}

${shapes.map(functionOf).join("\n")}
_vsock_conformance "$@"
`;
}

function nameOf(path: readonly string[]): string {
  return ["_vsock_conformance", ...path].join("_");
}

function functionOf({ path, options, commands, argument }: CommandShape): string {
  const specs = options.flatMap(optionSpecs);
  if (commands.length === 0) {
    const rest = argument === undefined ? [] : [quoted(`*: :${action(argument)}`)];
    return `${nameOf(path)}() {
  _arguments ${[...specs, ...rest].join(" \\\n    ")}
}
`;
  }
  const items = commands.map(({ name, description }) => quoted(`${name}:${description}`));
  const other = argument === undefined ? "" : `; ${action(argument)}`;
  const branches = commands.map(({ name }) => `        ${name}) ${nameOf([...path, name])} ;;`);
  return `${nameOf(path)}() {
  local context state state_descr line curcontext=$curcontext
  typeset -A opt_args
  _arguments -C ${[...specs, "'1: :->first'", "'*:: :->rest'"].join(" \\\n    ")}
  case $state in
    first)
      local -a commands=(${items.join("\n        ")})
      _describe command commands${other} ;;
    rest)
      case $words[1] in
${branches.join("\n")}
        *) ${argument === undefined ? ":" : action(argument)} ;;
      esac ;;
  esac
}
`;
}

function optionSpecs({ names, description, value }: OptionShape): string[] {
  const text = description.replace(/[[\]:\\]/g, "\\$&");
  const after = value === undefined ? "" : `: :${action(value)}`;
  return names.map((name) => quoted(`*${name}[${text}]${after}`));
}

function action(value: Value): string {
  switch (value.kind) {
    case "words":
      return `compadd ${value.words.join(" ")}`;
    case "case":
      return "_vsock_conformance_cases";
    case "file":
      return "_files";
    case "folder":
      return "_files -/";
    case "report":
      return `{ compset -P "*=" && _files || compadd -S "" ${
        value.formats.map((name) => `${name}=`).join(" ")
      } }`;
    case "any":
      return "";
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
