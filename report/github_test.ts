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

/** A report of as many cases that failed, and that warned. */
function many(failed: number, warned: number): RunReport {
  const [entry] = exampleReport().cases;
  const report = exampleReport();
  const cases = Array.from({ length: failed + warned }, (_, i) => {
    const outcome = i < failed ? "fail" as const : "warn" as const;
    const verdict = { outcome, reasons: ["why"], milliseconds: 1 };
    return { ...entry, id: `a/b/n${i}`, verdict } as RunReport["cases"][number];
  });
  return { ...report, cases };
}

Deno.test("githubAnnotations() has no more of a level than GitHub shows, and says what is left", () => {
  for (const stopped of [false, true]) {
    for (const [failed, warned] of [[9, 9], [10, 10], [3, 40], [60, 0]] as const) {
      const report = many(failed, warned);
      const whole = stopped ? { ...report, stopped: { reason: "QEMU ended" } } : report;
      const lines = githubAnnotations(whole).trimEnd().split("\n");
      const titled = (level: string) =>
        lines.flatMap((line) => new RegExp(`^::${level} title=(.*?)::`).exec(line)?.[1] ?? []);
      const [errors, warnings] = [titled("error"), titled("warning")];
      assert.ok(errors.length <= 10 && warnings.length <= 10, `${errors.length} errors`);
      if (stopped) assert.equal(errors.shift(), "vsock-conformance", "the run's own first");
      const room = stopped ? 8 : 9;
      const rest = failed - Math.min(failed, room);
      assert.equal(errors.length, Math.min(failed, room) + (rest > 0 ? 1 : 0));
      if (rest > 0) assert.equal(errors.at(-1), `${rest} more error${rest === 1 ? "" : "s"}`);
      if (warned > 9) assert.match(warnings.at(-1) ?? "", /^\d+ more warning/);
      assert.equal(titled("notice").length, stopped ? 0 : 1);
    }
  }
  const [last = ""] = /^::error title=51 more.*$/m.exec(githubAnnotations(many(60, 0))) ?? [];
  assert.match(last, /%0Afail: a\/b\/n9 \(host-server\)%0A.*%0Aand 31 more$/);
  assert.match(last, /job's summary/);
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
