import assert from "node:assert/strict";
import fc from "fast-check";
import { EXAMPLE_GROUPS, playExample } from "../tests/support/example_run.ts";
import { countOutcomes, type Outcome } from "../core/outcome.ts";
import { KtapWriter } from "./ktap.ts";

/** The KTAP of the example. */
function example(stopAfter?: number): string[] {
  const lines: string[] = [];
  playExample(new KtapWriter(EXAMPLE_GROUPS, (line) => lines.push(line)).sink, stopAfter);
  return lines;
}

const plain = { serializer: (text: string) => text };

Deno.test("KtapWriter writes every outcome", async (t) => {
  await t.assertSnapshot(example().join("\n"), plain);
});

Deno.test("KtapWriter writes a run that was stopped", async (t) => {
  await t.assertSnapshot(example(1).join("\n"), plain);
});

Deno.test("KtapWriter has the name of a subtest behind its version, where the kernel's parser looks", () => {
  const lines = example();
  const at = lines.indexOf("  # Subtest: host-server");
  assert.equal(lines[at - 1], "  KTAP version 1");
  assert.equal(lines[at + 1], "  1..9");
});

const RESULT = /^ {2}(ok|not ok) (\d+) ([^ #]+)(?: # (\w+:?) .*)?$/;

Deno.test("KtapWriter writes one result a case, whatever its reasons contain", () => {
  const outcome = fc.constantFrom(...Object.keys(countOutcomes([])) as Outcome[]);
  const verdicts = fc.array(
    fc.record({
      outcome,
      reasons: fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 3 }),
    }),
    { maxLength: 5 },
  );
  fc.assert(fc.property(verdicts, (verdicts) => {
    const lines: string[] = [];
    const { sink } = new KtapWriter([["loopback", verdicts.length]], (line) => lines.push(line));
    verdicts.forEach((verdict, i) => {
      const run = { number: i + 1, id: `a/b/${i}`, direction: "loopback" as const };
      sink({ type: "case-start", run, title: "t" });
      sink({ type: "case-end", run, title: "t", verdict: { ...verdict, milliseconds: 1 } });
    });
    assert.ok(lines.every((line) => !/[\r\n]/.test(line)));
    const results = lines.filter((line) => !/^ *#/.test(line)).slice(2);
    assert.deepEqual(results.map((line) => RESULT.exec(line)?.slice(1, 4)), [
      ...verdicts.map(({ outcome }, i) => [
        ["pass", "warn", "skip", "retried", "expected-fail"].includes(outcome) ? "ok" : "not ok",
        `${i + 1}`,
        `a/b/${i}`,
      ]),
    ]);
  }));
});

Deno.test("KtapWriter skips a direction in which all was skipped, as kselftest does a program", () => {
  const last = (...outcomes: readonly Outcome[]) => {
    const lines: string[] = [];
    const { sink } = new KtapWriter([["loopback", 2]], (line) => lines.push(line));
    outcomes.forEach((outcome, i) => {
      const run = { number: i + 1, id: `a/b/${i}`, direction: "loopback" as const };
      sink({ type: "case-start", run, title: "t" });
      const verdict = { outcome, reasons: ["why"], milliseconds: 1 };
      sink({ type: "case-end", run, title: "t", verdict });
    });
    sink({ type: "run-end", counts: countOutcomes([]), milliseconds: 1 });
    return lines.at(-1);
  };
  assert.equal(last("skip", "skip"), "ok 1 loopback # SKIP all of its cases were skipped");
  assert.equal(last("skip", "pass"), "ok 1 loopback");
  assert.equal(last("pass", "skip"), "ok 1 loopback");
  assert.equal(last("skip", "fail"), "not ok 1 loopback");
});
