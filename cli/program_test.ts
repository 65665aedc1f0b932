import assert from "node:assert/strict";
import type { Command } from "commander";
import { program } from "./program.ts";
import { vsockTestCommand } from "./upstream_program.ts";

/** The most that fits a screen. */
const LINES = 54;
const COLUMNS = 80;

/** The help of a command and of all those below it, each with the words that show it. */
function* pages(command: Command, words: string): Generator<readonly [string, string]> {
  let text = "";
  command.configureOutput({
    writeOut: (part) => text += part,
    getOutHelpWidth: () => COLUMNS,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  yield [words, text];
  for (const below of command.createHelp().visibleCommands(command)) {
    yield* pages(below, `${words} ${below.name()}`);
  }
}

Deno.test("the help of every command fits a screen", () => {
  const all = [
    ...pages(program(() => {}), "vsock-conformance"),
    ...pages(vsockTestCommand(() => {}), "vsock-conformance --mode"),
  ];
  assert.ok(all.length > 25, `${all.length} pages`);
  for (const [words, text] of all) {
    const lines = text.trimEnd().split("\n");
    assert.ok(lines.length <= LINES, `${words} --help: ${lines.length} lines\n${text}`);
    const wide = lines.find((line) => line.length > COLUMNS);
    assert.equal(wide, undefined, `${words} --help: a line of more than ${COLUMNS} columns`);
  }
});

Deno.test("the help of every command begins with a sentence, and names each option once", () => {
  for (const [words, text] of pages(program(() => {}), "vsock-conformance")) {
    const [usage, sentence] = text.split("\n\n");
    assert.match(usage ?? "", /^Usage: vsock-conformance/, words);
    assert.match(sentence ?? "", /^[A-Z][^]*\.$/, words);
    const options = [...text.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, name]) => name);
    assert.deepEqual(options, [...new Set(options)], words);
  }
});
