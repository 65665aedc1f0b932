import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { playExample } from "../tests/support/example_run.ts";
import { TerminalWriter } from "./terminal.ts";

/** What is written for the example. */
function example(live: boolean, stopAfter?: number): string {
  let written = "";
  const screen = { live, write: (text: string) => void (written += text) };
  playExample(new TerminalWriter(screen).sink, stopAfter);
  return written;
}

const plain = { serializer: (text: string) => text };

Deno.test("TerminalWriter writes every outcome, with its reasons", async (t) => {
  await t.assertSnapshot(example(false), plain);
});

Deno.test("TerminalWriter writes a run that was stopped", async (t) => {
  await t.assertSnapshot(example(false, 2), plain);
});

Deno.test("TerminalWriter on a terminal shows what is under way and writes over it", async (t) => {
  await t.assertSnapshot(JSON.stringify(example(true, 2)).replaceAll("\\n", "\\n\n"), plain);
});

Deno.test("TerminalWriter writes no control character where it is no terminal", () => {
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(example(false), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028]/);
});

Deno.test("TerminalWriter writes the same text on a terminal, apart from colours and progress", () => {
  const bare = stripVTControlCharacters(example(true)).replace(/ {2}\.{4}[^\r]*\r/g, "");
  assert.equal(bare.replaceAll("\r", ""), example(false));
});
