/**
 * Makes man/vsock-conformance.1 (man(7)) from the commands and options of the program.
 *
 * @module
 */
import type { Command } from "commander";
import { program } from "../cli/program.ts";
import { VERSION } from "../core/version.ts";

const FILE = new URL("../man/vsock-conformance.1", import.meta.url);

/** The manual page. */
export function manPage(): string {
  const root = program(() => {});
  const lines = [
    '.\\" Written by tools/man.ts.',
    `.TH VSOCK-CONFORMANCE 1 "" "vsock-conformance ${VERSION}" "User Commands"`,
    ".SH NAME",
    "vsock\\-conformance \\- tests whether an AF_VSOCK implementation conforms",
    ".SH SYNOPSIS",
    ".B vsock\\-conformance",
    ".I command",
    "[options]",
    ".SH DESCRIPTION",
    roff(root.description()),
    ".SH COMMANDS",
    ...visible(root).flatMap((command) => commandLines(command, [command.name()])),
    ".SH EXIT STATUS",
    ...exitStatus(),
    ".SH SEE ALSO",
    ".BR vsock (7)",
  ];
  return `${lines.join("\n")}\n`;
}

/** The commands that help shows, but for help itself. */
function visible(command: Command): Command[] {
  return command.createHelp().visibleCommands(command).filter((below) => below.name() !== "help");
}

function commandLines(command: Command, path: readonly string[]): string[] {
  const help = command.createHelp();
  const usage = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  const options = help.visibleOptions(command).filter(({ long }) => long !== "--help");
  return [
    `.SS ${roff([...path, ...usage].join(" "))}`,
    ...command.description().split("\n").map(roff),
    ...options.flatMap((option) => [
      ".TP",
      `.B ${roff(option.flags)}`,
      roff(help.optionDescription(option)),
    ]),
    ...visible(command).flatMap((below) => commandLines(below, [...path, below.name()])),
  ];
}

function exitStatus(): string[] {
  const codes = [
    ["0", "no case failed"],
    ["1", "a case failed, timed out, or passed although a baseline expects a failure"],
    ["2", "a case was broken, or the command line is wrong"],
    ["4", "all cases were skipped"],
    ["69", "the lab could not be started"],
  ];
  return codes.flatMap(([code = "", what = ""]) => [".TP", `.B ${code}`, roff(what)]);
}

/** Text as roff takes it: no line of it is a request, and a minus is what the user types. */
function roff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^(?=[.'])/, "\\&");
}

/** Whether the page is what the commands say today. */
export async function manIsFresh(): Promise<boolean> {
  return await Deno.readTextFile(FILE).catch(() => "") === manPage();
}

if (import.meta.main) {
  await Deno.mkdir(new URL(".", FILE), { recursive: true });
  await Deno.writeTextFile(FILE, manPage());
}
