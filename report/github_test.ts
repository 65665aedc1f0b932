import assert from "node:assert/strict";
import fc from "fast-check";
import { exampleReport } from "../tests/support/example_run.ts";
import { githubAnnotations, markdown } from "./github.ts";
import type { RunReport } from "./model.ts";

const plain = { serializer: (text: string) => text };

Deno.test("githubAnnotations() writes every outcome", async (t) => {
  await t.assertSnapshot(githubAnnotations(exampleReport()), plain);
});

Deno.test("githubAnnotations() writes a run that was stopped", async (t) => {
  await t.assertSnapshot(githubAnnotations(exampleReport(1)), plain);
});

/** A report whose second case has these reasons. */
function withReasons(reasons: readonly string[]): RunReport {
  const report = exampleReport();
  const cases = report.cases.map((entry, i) => ({
    ...entry,
    verdict: { outcome: i === 1 ? "fail" as const : "pass" as const, reasons, milliseconds: 1 },
  }));
  return { ...report, cases };
}

Deno.test("githubAnnotations() keeps reasons from being commands, and loses nothing of them", () => {
  const [line = "", ...others] = githubAnnotations(withReasons(["100%\n::error::a", "b,c: d"]))
    .split("\n");
  assert.equal(others.length, 2);
  assert.match(line, /^::error title=fail%3A stream\/close\/keeps-data \(host-server\)::/);
  assert.match(line, /::100%25 ::error::a%0Ab,c: d%0Ait MUST work%0Aagain: vsock-conf/);
  fc.assert(fc.property(fc.string({ unit: "binary" }), (reason) => {
    assert.equal(githubAnnotations(withReasons([reason])).trimEnd().split(/[\r\n]/).length, 2);
  }));
});

Deno.test("markdown() writes every outcome", async (t) => {
  await t.assertSnapshot(markdown(exampleReport()), plain);
});

Deno.test("markdown() writes a run that was stopped", async (t) => {
  await t.assertSnapshot(markdown(exampleReport(1)), plain);
});

Deno.test("markdown() shows the first reasons of many, each in a block that it cannot end", () => {
  const reasons = Array.from({ length: 20 }, (_, i) => `${i}\n\`\`\`\n# <b>`);
  const lines = markdown(withReasons(reasons)).split("\n");
  assert.equal(lines.filter((line) => /^ {4}\d+ ``` # <b>$/.test(line)).length, 12);
  assert.ok(lines.includes("    and 8 more"));
});
