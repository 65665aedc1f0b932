import assert from "node:assert/strict";
import type { Command } from "commander";
import { CATALOGUE } from "../../suites/catalogue.ts";
import { completionsText, shapesOf } from "./words.ts";
import { LINES, shell } from "../../tests/support/completion_lines.ts";
import { program } from "../program.ts";

const root = program(() => {});

/** The commands below one, without those that only say what has become of them. */
function visibleBelow(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command);
}

/** What bash offers for a line, its words cut as bash cuts them. */
async function bashOffers(line: string): Promise<string[]> {
  const words = `vsock-conformance ${line}`.split(" ")
    .flatMap((word) => word.match(/=|[^=]+/g) ?? [""]);
  // Outside of an interactive shell there is no completion whose options could be set.
  const script = `${completionsText("bash", root)}
compopt() { :; }
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
$(complete -p vsock-conformance | sed 's/.*-F \\([^ ]*\\).*/\\1/')
printf '%s\\n' "\${COMPREPLY[@]}"
`;
  return (await shell("bash", [], script)).split("\n").filter((offer) => offer !== "");
}

Deno.test("completions for bash are what bash takes, and offers what can follow", async () => {
  await shell("bash", ["-n"], completionsText("bash", root));
  for (const [line, offered, not] of LINES) {
    const offers = await bashOffers(line);
    for (const word of offered) assert.ok(offers.includes(word), `${line}: ${word} in ${offers}`);
    assert.ok(not === undefined || !offers.includes(not), `${line}: no ${not} in ${offers}`);
  }
});

Deno.test("completions for bash take --option=value for what it is, and files after a format", async () => {
  assert.deepEqual(await bashOffers("run --direction="), ["host-server", "guest-server", "both"]);
  assert.deepEqual(await bashOffers("run --direction=h"), ["host-server"]);
  assert.ok((await bashOffers("run --report json=deno.js")).includes("deno.json"));
  assert.deepEqual(await bashOffers("report html deno.js"), ["deno.json"]);
});

Deno.test("completions have every command, every option and every case", () => {
  const shapes = shapesOf(root, []);
  for (const name of ["bash", "zsh", "fish"] as const) {
    const text = completionsText(name, root);
    for (const { path, options } of shapes) {
      assert.ok(text.includes(path.join(name === "zsh" ? "_" : " ")), path.join(" "));
      for (const option of options.flatMap(({ names }) => names)) {
        assert.ok(text.includes(name === "fish" ? option.replace(/^-+/, "") : option), option);
      }
    }
    for (const { id } of CATALOGUE) assert.ok(text.includes(id), id);
  }
});

Deno.test("every command shows an example in its help", () => {
  const visit = (command: Command): void => {
    let help = "";
    command.configureOutput({ writeOut: (text) => help += text }).outputHelp();
    const name = command.parent === null ? "" : command.name();
    assert.match(help, new RegExp(`\\nExamples?:\\n  vsock-conformance .*${name}`), command.name());
    visibleBelow(command).forEach(visit);
  };
  visit(program(() => {}));
});
