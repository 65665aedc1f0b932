/**
 * Hostile text in reports: whatever an agent, a console or a file says, no report drives a terminal,
 * turns the direction of text, or becomes another document than it is.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type DefaultTreeAdapterMap, parse } from "parse5";
import type { Outcome } from "../core/outcome.ts";
import { decodeHello, encodeHello, HELLO } from "../control/greeting.ts";
import { decodeAnswer, encodeMessage } from "../control/wire.ts";
import { diffText } from "../report/diff.ts";
import { REPORT_FORMATS, type ReportFormat } from "../report/formats.ts";
import { replay, type RunReport } from "../report/model.ts";
import { renderReport } from "../report/render.ts";
import { parseReport } from "../report/schema.ts";
import { TerminalWriter } from "../report/terminal.ts";
import { exampleNotStarted, exampleReport } from "./support/example_run.ts";
import { xmlTree } from "./support/xml.ts";

const FORMATS = Object.keys(REPORT_FORMATS) as ReportFormat[];

/** What no output may have but for its own line ends: written out, not as the tool has it. */
const HARMFUL = new RegExp(
  "[\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f\\u061c\\u200b-\\u200f\\u2028-\\u202e" +
    "\\u2060-\\u2064\\u2066-\\u2069\\ufeff\\ufff9-\\ufffb\\ufffe\\uffff\\p{Surrogate}" +
    "\\u{e0001}\\u{e0020}-\\u{e007f}]",
  "u",
);

/** A report in which all that can come from elsewhere is this text. */
function having(text: string): RunReport {
  const report = exampleReport(9, true);
  const config = { path: text, sha256: text };
  const vm = { name: text, accelerator: text, qemu: text };
  const side = { state: "fail", reasons: [text], step: text, milliseconds: 1 } as const;
  return {
    ...report,
    tool: text,
    argv: [text],
    commit: text,
    again: [text],
    lab: { kernel: text, config, vms: [{ ...vm, command: [text], console: text }] },
    retries: [{ what: text, why: text, times: 2 }],
    stopped: { reason: text, during: 10 },
    ends: report.ends.map((end) => ({
      ...end,
      name: text,
      kernel: text,
      machine: text,
      version: text,
      unwatched: text,
      leaks: { watched: [text], milliseconds: 1 },
      uname: text,
      commandLine: text,
      config,
      faultsBefore: [[text, text]],
    })),
    cases: report.cases.map((entry) => ({
      ...entry,
      title: text,
      requirement: text,
      upstream: text,
      ...(entry.verdict === undefined ? {} : {
        verdict: { ...entry.verdict, reasons: [text], sides: { client: side, server: side } },
      }),
    })),
  };
}

/** What is shown of a report, in every way. */
function shown(report: RunReport): Record<string, string> {
  let live = "";
  replay(report, new TerminalWriter({ live: true, write: (text) => void (live += text) }).sink);
  return {
    ...Object.fromEntries(FORMATS.map((format) => [format, renderReport(format, report)])),
    diff: diffText(exampleReport(), report),
    // Its own colours, and how it takes back what it said.
    // deno-lint-ignore no-control-regex
    live: live.replace(/\u001b\[\d+m|\r\u001b\[2K/g, ""),
  };
}

/** All code points that mean anything, halves of surrogate pairs as well, in some texts. */
function* codePoints(): Generator<string> {
  const SIZE = 2048;
  let some: string[] = [];
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code);
    if (/(?!\p{Noncharacter_Code_Point})[\p{Unassigned}\p{Private_Use}]/u.test(character)) continue;
    // Apart, so that no two halves make a whole.
    if (some.push(`${character}.`) < SIZE) continue;
    yield some.join("");
    some = [];
  }
  yield some.join("");
}

Deno.test("no report of any form has a code point that can do harm", () => {
  for (const text of codePoints()) {
    for (const [format, written] of Object.entries(shown(having(text)))) {
      const found = HARMFUL.exec(written);
      const code = found?.[0].codePointAt(0)?.toString(16);
      assert.equal(found, null, `${format} has U+${code}`);
    }
  }
});

Deno.test("no code point that can do harm comes out of a report that was read, or from a peer", () => {
  const facts = { name: "x", machine: "x", version: "x", kernel: "x" };
  for (const text of codePoints()) {
    const read = parseReport(JSON.stringify(having(text)), "x");
    assert.doesNotMatch(read.cases.map(({ requirement }) => requirement).join(), HARMFUL);
    assert.doesNotMatch(read.argv.join(), HARMFUL);
    const greeting = decodeHello(encodeHello({ ...facts, uname: text, faultsBefore: [[text]] }));
    const { uname = "", faultsBefore = [] } = greeting.facts;
    assert.doesNotMatch([uname, ...faultsBefore.flat()].join(), HARMFUL);
    // A name is short.
    const characters = text.split(".");
    for (let at = 0; at < characters.length; at += 40) {
      const name = characters.slice(at, at + 40).join(".");
      const { kernel } = decodeHello(encodeHello({ ...facts, kernel: name })).facts;
      assert.doesNotMatch(kernel, HARMFUL);
    }
    const splats = [[text]];
    const report = { state: "fail", reasons: [text], step: text, milliseconds: 1, splats } as const;
    const answer = decodeAnswer(encodeMessage({ type: "done", run: 1, report }));
    assert.ok(answer.type === "done");
    const { reasons, step, splats: found } = answer.report;
    assert.doesNotMatch([...reasons, step, found?.flat()].join(), HARMFUL);
    const step1 = decodeAnswer(encodeMessage({ type: "step", run: 1, text }));
    assert.ok(step1.type === "step");
    assert.doesNotMatch(step1.text, HARMFUL);
    for (const hello of [`REFUSED ${text}`, `${HELLO} ${text}`, text]) {
      assert.throws(() => decodeHello(hello), (error) => !HARMFUL.test(String(error)));
    }
  }
});

/** Text that tries to be something else, in each of the forms. */
const nasty = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom(
    ...["\nnot ok 1 a/b/c", "# SKIP x", "]]>", "</script><script>", "<!--", "--><img src=x>"],
    ...[
      "::error::x",
      "\r\n::add-mask::x",
      "%0A::error::x",
      "```\n# x",
      "| x |",
      "&lt;",
      "\u001b[2J",
    ],
    ...["Bail out!", "\n1..0 # SKIP", "\u009b2J", "\ud800", "\u202eevil", "\u2066x"],
  ),
);
const text = fc.array(nasty, { maxLength: 4 }).map((parts) => parts.join(""));

/** What each form is made of, whatever its text is. */
const SHAPES: Readonly<Partial<Record<ReportFormat, (written: string) => unknown>>> = {
  json: (written) => {
    JSON.parse(written);
    return written.split("\n").length;
  },
  junit: (written) => {
    const names = (tree: ReturnType<typeof xmlTree>): unknown[] => [
      tree.name,
      Object.keys(tree.attributes),
      tree.children.map(names),
    ];
    return names(xmlTree(written));
  },
  html: (written) => {
    const tags: string[] = [];
    const onParseError = ({ code }: { code: string }) => assert.fail(code);
    const visit = (node: DefaultTreeAdapterMap["node"]): void => {
      if ("tagName" in node) tags.push(node.tagName);
      if ("childNodes" in node) node.childNodes.forEach(visit);
    };
    visit(parse(written, { onParseError }));
    return tags;
  },
  github: (written) => written.split("\n").map((line) => /^::(\w+) title=[^:]*::/.exec(line)?.[1]),
  ktap: (written) =>
    written.split("\n").map((line) => /^ *(ok|not ok|#|1\.\.|KTAP)/.exec(line)?.[0]),
  "ktap-flat": (written) =>
    written.split("\n").map((line) => /^(ok|not ok|#|1\.\.|TAP|Bail out!)/.exec(line)?.[0]),
  text: (written) => written.split("\n").length,
  markdown: (written) =>
    written.split("\n").map((line) => /^(#+ |- |\| |<details| {4}|$)/.exec(line)?.[0]),
};

Deno.test("no report becomes another document by what it contains", () => {
  const plain = having("plain");
  const shapes = FORMATS.map((format) => SHAPES[format]?.(renderReport(format, plain)));
  fc.assert(
    fc.property(text, (text) => {
      const report = having(`a${text}a`);
      FORMATS.forEach((format, i) => {
        assert.deepEqual(SHAPES[format]?.(renderReport(format, report)), shapes[i], format);
      });
    }),
    { numRuns: 200 },
  );
});

Deno.test("no report of a run that did not start becomes another document, either", () => {
  const shapes = FORMATS.map((format) =>
    SHAPES[format]?.(renderReport(format, exampleNotStarted("plain")))
  );
  fc.assert(fc.property(text, (text) => {
    const report = exampleNotStarted(`a${text}a`);
    FORMATS.forEach((format, i) => {
      const written = renderReport(format, report);
      assert.doesNotMatch(written, HARMFUL);
      assert.deepEqual(SHAPES[format]?.(written), shapes[i], format);
    });
  }));
});

Deno.test("the outcomes of the example are all there are, so that nothing above is left out", () => {
  const outcomes = new Set(exampleReport().cases.map(({ verdict }) => verdict?.outcome));
  const all: Record<Outcome, true> = {
    pass: true,
    fail: true,
    warn: true,
    skip: true,
    broken: true,
    timeout: true,
    retried: true,
    "expected-fail": true,
    "unexpected-pass": true,
  };
  assert.deepEqual([...outcomes].sort(), Object.keys(all).sort());
});
