import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { playExample } from "../tests/support/example_run.ts";
import { noCounts } from "../core/outcome.ts";
import { type ShownAs, TerminalWriter } from "./terminal.ts";
import { featuresOf, type Screen } from "./screen.ts";

/** What is written for the example. */
function example(
  live: boolean,
  stopAfter?: number,
  more: Partial<Screen> & ShownAs = {},
): string {
  let written = "";
  const screen = { live, colour: live, write: (text: string) => void (written += text), ...more };
  playExample(new TerminalWriter(screen, more).sink, stopAfter);
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

/** What ends the line that is written over. */
const CLEAR = "\r\u001b[2K";

Deno.test("TerminalWriter shows what is under way on one line of the terminal", () => {
  for (const columns of [1, 20, 60, 200]) {
    const written = example(true, 5, { colour: false, columns: () => columns });
    const pieces = written.split(CLEAR).slice(1);
    const progress = pieces.map((piece) => piece.split("\n")).filter(([, ...rest]) =>
      rest.length === 0
    ).map(([line = ""]) => line);
    assert.equal(progress.length, 5);
    for (const line of progress) assert.ok(line.length < columns, `${columns}: ${line}`);
    if (columns === 200) assert.equal(progress[0], "  ....  stream/connect/refused (1/12)");
  }
});

Deno.test("TerminalWriter shows a verdict again that is amended, and sums it up as it is then", () => {
  let written = "";
  const writer = new TerminalWriter({ live: false, write: (text) => void (written += text) });
  const run = { number: 1, id: "a/b/c", direction: "loopback" } as const;
  const verdict = { outcome: "pass", reasons: [], milliseconds: 7 } as const;
  const late = { outcome: "fail", reasons: ["loopback, afterwards: x"], milliseconds: 7 } as const;
  writer.sink({ type: "case-end", run, title: "", verdict });
  writer.sink({ type: "case-amended", run, title: "", verdict: late });
  writer.sink({ type: "run-end", counts: { ...noCounts(), fail: 1 }, milliseconds: 1 });
  assert.match(written, / {2}pass .* a\/b\/c\n {2}FAIL .* a\/b\/c\n +loopback, afterwards: x\n\n/);
  assert.match(written, /FAIL[^]*FAIL[^]*0 passed, 1 failed/);
});

Deno.test("TerminalWriter clears what is under way before it shows another", () => {
  let written = "";
  const screen = { live: true, write: (text: string) => void (written += text) };
  const { sink } = new TerminalWriter(screen);
  for (const id of ["a/b/c", "a/b/d"]) {
    sink({ type: "case-start", run: { number: 1, id, direction: "loopback" }, title: "" });
  }
  assert.ok(written.endsWith(`  ....  a/b/c (1/0)${CLEAR}  ....  a/b/d (1/0)`), written);
});

Deno.test("TerminalWriter shows colours and progress each where that may be", () => {
  const seen = (live: boolean, colour: boolean) => {
    const written = example(live, 2, { colour });
    const bare = written.replaceAll(CLEAR, "");
    return [bare !== written, stripVTControlCharacters(bare) !== bare];
  };
  assert.deepEqual(seen(true, true), [true, true]);
  assert.deepEqual(seen(true, false), [true, false]);
  assert.deepEqual(seen(false, false), [false, false]);
});

Deno.test("NO_COLOR takes colours away, a dumb terminal all, and what is no terminal has none", () => {
  const terminal = { isTerminal: true, kind: "xterm", noColour: false };
  assert.deepEqual(featuresOf(terminal), { live: true, colour: true });
  assert.deepEqual(featuresOf({ ...terminal, kind: undefined }), { live: true, colour: true });
  assert.deepEqual(featuresOf({ ...terminal, noColour: true }), { live: true, colour: false });
  assert.deepEqual(featuresOf({ ...terminal, kind: "dumb" }), { live: false, colour: false });
  assert.deepEqual(featuresOf({ ...terminal, isTerminal: false }), { live: false, colour: false });
});

Deno.test("TerminalWriter that is quiet shows what did not do well, and the end", async (t) => {
  await t.assertSnapshot(example(false, undefined, { quiet: true }), plain);
});

Deno.test("TerminalWriter writes all that a run was made on, where it is to be complete", async (t) => {
  const whole = example(false, 0, { full: true });
  await t.assertSnapshot(whole, plain);
  assert.ok(whole.length > example(false, 0).length);
});
