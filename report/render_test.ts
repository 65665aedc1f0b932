import assert from "node:assert/strict";
import { EXAMPLE_GROUPS, exampleReport, playExample } from "../tests/support/example_run.ts";
import { REPORT_FORMATS, type ReportFormat } from "./formats.ts";
import { KtapWriter } from "./ktap.ts";
import { renderReport } from "./render.ts";
import { parseReport } from "./schema.ts";
import { TerminalWriter } from "./terminal.ts";

const CUTS: readonly (readonly [number?, boolean?])[] = [[], [0], [0, true], [4], [7, true]];

Deno.test("renderReport() writes as KTAP what was written while the cases ran", () => {
  for (const [after, during] of CUTS) {
    const lines: string[] = [];
    playExample(new KtapWriter(EXAMPLE_GROUPS, (line) => lines.push(line)).sink, after, during);
    assert.equal(renderReport("ktap", exampleReport(after, during)), `${lines.join("\n")}\n`);
  }
});

Deno.test("renderReport() writes as text what was written while the cases ran", () => {
  for (const [after, during] of CUTS) {
    let written = "";
    const screen = { live: false, write: (text: string) => void (written += text) };
    playExample(new TerminalWriter(screen).sink, after, during);
    assert.equal(renderReport("text", exampleReport(after, during)), written);
  }
});

Deno.test("renderReport() writes as JSON what parseReport() reads, and renders the same from it", () => {
  for (const [after, during] of CUTS) {
    const report = exampleReport(after, during);
    const stored = parseReport(renderReport("json", report), "x");
    assert.deepEqual(stored, report);
    for (const format of Object.keys(REPORT_FORMATS) as ReportFormat[]) {
      assert.equal(renderReport(format, stored), renderReport(format, report), format);
    }
  }
});
