import assert from "node:assert/strict";
import type { Outcome } from "../core/outcome.ts";
import { exampleNotStarted, exampleReport } from "../tests/support/example_run.ts";
import { runTool } from "../tests/support/tool.ts";
import { bisectCode } from "./bisect_code.ts";

Deno.test("bisectCode() calls bad what failed, good what passed, and nothing else either", () => {
  const of = (...wanted: Outcome[]) =>
    bisectCode({
      ...exampleReport(),
      cases: exampleReport().cases.filter(({ verdict }) =>
        verdict !== undefined && wanted.includes(verdict.outcome)
      ),
    });
  assert.equal(of("pass"), 0);
  assert.equal(of("pass", "skip", "retried"), 0);
  assert.equal(of("pass", "fail"), 1);
  assert.equal(of("warn"), 1);
  assert.equal(of("timeout", "broken"), 1);
  assert.equal(of("broken", "pass"), 125);
  assert.equal(of("skip"), 125);
  assert.equal(of(), 125);
  assert.equal(bisectCode(exampleNotStarted("no")), 125);
  // What was stopped before it failed may still be bad.
  assert.equal(bisectCode(exampleReport(1)), 125);
});

Deno.test("lab verdict never calls bad what it could not try", async () => {
  const none = await runTool(["lab", "verdict", "--kernel", "/nonexistent/a", "stream/close"]);
  assert.equal(none.code, 125, none.stderr);
  assert.match(none.stderr, /verdict: cannot tell/);
  assert.equal((await runTool(["lab", "verdict", "--frobnicate"])).code, 128);
});
