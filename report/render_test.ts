import assert from "node:assert/strict";
import { cleanStrings } from "../core/clean.ts";
import {
  EXAMPLE_GROUPS,
  exampleNotStarted,
  exampleReport,
  playExample,
} from "../tests/support/example_run.ts";
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

Deno.test("renderReport() writes as text what was written while the cases ran, with all facts", () => {
  for (const [after, during] of CUTS) {
    let written = "";
    const screen = { live: false, write: (text: string) => void (written += text) };
    playExample(new TerminalWriter(screen, { full: true }).sink, after, during);
    assert.equal(renderReport("text", exampleReport(after, during)), written);
  }
});

/** How each form says that a run did not start. */
const NOT_STARTED: Readonly<Record<ReportFormat, RegExp>> = {
  json: /"notStarted": \{\s+"reason": "no QEMU"/,
  ktap: /^KTAP version 1\n1\.\.2\nBail out! no QEMU\n$/,
  "ktap-flat": /^TAP version 13\n1\.\.12\nBail out! no QEMU\n$/,
  junit: /<error message="the run did not start: no QEMU" type="not-started"\/>/,
  html: /<h1 class="bad">Did not start<\/h1>[^]*The run did not start:<\/strong> no QEMU/,
  github:
    /^::error title=vsock-conformance::did not start: no QEMU%0Atool: vsock-conformance [^\n]*\n$/,
  markdown: /^## vsock-conformance: did not start: no QEMU\n/,
  text: /^did not start: no QEMU\n$/,
};

Deno.test("renderReport() says in every form that a run did not start, and no word of success", () => {
  for (const [format, says] of Object.entries(NOT_STARTED)) {
    const text = renderReport(format as ReportFormat, exampleNotStarted("no QEMU"));
    assert.match(text, says);
    if (format !== "html") assert.doesNotMatch(text, /passed/);
  }
  assert.doesNotMatch(
    renderReport("html", exampleNotStarted("x")).split("<main>")[0] ?? "",
    /passed/,
  );
});

/** What each form must say of what a run was made on, besides its verdicts. */
const ON_WHAT = [
  "QEMU emulator version 10.0.2",
  "qemu-system-x86_64 -append",
  "/cache/host.log",
  "Linux 7.3.4 #1 SMP x86_64",
  "/proc/config.gz",
  "0123456789abcdef0123456789abcdef01234567-dirty",
  "tainted before the run: W (the kernel has warned",
  "before the first case its kernel had reported: WARNING: a",
  "the guest's QEMU ended",
];

Deno.test("renderReport() says in every form what a run was made on, and what was done again", () => {
  for (const format of Object.keys(REPORT_FORMATS) as ReportFormat[]) {
    if (format === "json") continue;
    // Each in its own way keeps characters from meaning something.
    const text = renderReport(format, exampleReport()).replaceAll("\\", "");
    for (const fact of ON_WHAT) assert.ok(text.includes(fact), `${format}: ${fact}`);
    if (format.startsWith("ktap")) continue;
    assert.match(
      text,
      /lab --kernel '.\/my kernel' --direction host-server --seed 42 stream\/close/,
    );
  }
});

/** How each form says that a case had to be run again. */
const RETRIED: Readonly<Record<ReportFormat, RegExp>> = {
  json: /"outcome": "retried"/,
  ktap: /^ {2}ok 3 stream\/lost\/held # retried: run again: its VM was lost$/m,
  "ktap-flat": /^ok 12 guest-server\/stream\/lost\/held # retried time=\d+ms$/m,
  junit: /<system-out>retried: run again: its VM was lost<\/system-out>/,
  html: /class="badge e-retried">/,
  github: /^::warning title=retried%3A stream\/lost\/held [^\n]*run again: its VM was lost/m,
  markdown: /### retried: stream\/lost\/held, guest-server/,
  text: /^ {2}retry +\d+ .*stream\/lost\/held\n +run again: its VM was lost$/m,
};

Deno.test("renderReport() says in every form that a case was run again, and how many were", () => {
  for (const [format, says] of Object.entries(RETRIED)) {
    const text = renderReport(format as ReportFormat, exampleReport());
    assert.match(text, says);
    if (["github", "markdown", "text", "html"].includes(format)) assert.match(text, /1 retried/);
  }
});

Deno.test("renderReport() writes as JSON what parseReport() reads, and renders the same from it", () => {
  const reports = CUTS.map(([after, during]) => exampleReport(after, during));
  for (const report of [...reports, exampleNotStarted("x")]) {
    const stored = parseReport(renderReport("json", report), "x");
    assert.deepEqual(stored, cleanStrings(report));
    for (const format of Object.keys(REPORT_FORMATS) as ReportFormat[]) {
      const same = format === "json" ? cleanStrings(report) : report;
      assert.equal(renderReport(format, stored), renderReport(format, same), format);
    }
  }
});
