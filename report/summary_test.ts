import assert from "node:assert/strict";
import type { Outcome } from "../core/outcome.ts";
import type { Direction } from "../core/plan.ts";
import { type Ended, summaryLines } from "./summary.ts";

function ended(
  id: string,
  outcome: Outcome,
  reasons: readonly string[],
  direction: Direction = "host-server",
): Ended {
  return { run: { id, direction }, verdict: { outcome, reasons, milliseconds: 1 } };
}

const lines = (cases: readonly Ended[], ...retries: Parameters<typeof summaryLines>[1]) =>
  summaryLines(cases, retries, (outcome) => outcome.toUpperCase());

Deno.test("summaryLines() says again what failed and why, in the order of the run", () => {
  const cases = [
    ended("a/b/c", "fail", ["client: 1", "2", "3", "4", "5"]),
    ended("a/b/d", "pass", []),
    ended("a/b/e", "broken", ["bind(): EADDRINUSE"], "loopback"),
    ended("a/b/f", "warn", ["late"]),
    ended("a/b/g", "timeout", []),
    ended("a/b/h", "unexpected-pass", ["it passed"]),
    ended("a/b/i", "expected-fail", ["known"]),
    ended("a/b/j", "retried", ["run again: lost"]),
  ];
  assert.deepEqual(lines(cases), [
    "",
    "failed (4)",
    "  FAIL  a/b/c (host-server)",
    ...["client: 1", "2", "3", "and 2 more above"].map((text) => `        ${text}`),
    "  BROKEN  a/b/e",
    "        bind(): EADDRINUSE",
    "  TIMEOUT  a/b/g (host-server)",
    "  UNEXPECTED-PASS  a/b/h (host-server)",
    "        it passed",
    "",
    "passed, but (2)",
    "  WARN  a/b/f (host-server)",
    "        late",
    "  RETRIED  a/b/j (host-server)",
    "        run again: lost",
  ]);
});

Deno.test("summaryLines() counts what was skipped by its reasons, whichever side says them", () => {
  const cases = [
    ended("a/b/1", "skip", ["client (host): lacks X"]),
    ...Array.from(
      { length: 10 },
      (_, i) => ended(`a/c/${i}`, "skip", ["client (host): needs Y", "server (guest): needs Y"]),
    ),
    ended("a/b/2", "skip", ["server: lacks X"], "loopback"),
    ended("a/b/3", "skip", ["client: lacks X", "client: needs Y"]),
  ];
  assert.deepEqual(lines(cases), [
    "",
    "skipped (13)",
    "  10  needs Y",
    "   2  lacks X",
    "   1  lacks X; needs Y",
  ]);
});

Deno.test("summaryLines() says what was done again, and how one case can be", () => {
  const boot = { what: "boot", why: "the guest's QEMU ended" };
  assert.deepEqual(lines([ended("a/b/c", "pass", [])], { ...boot, times: 2 }, boot), [
    "",
    "done again (2)",
    "  boot, 2 times: the guest's QEMU ended",
    "  boot: the guest's QEMU ended",
  ]);
  const [first, second] = ["x", "y"].map((again) => ({ ...ended(again, "fail", []), again }));
  assert.equal(lines([first, second].flatMap((entry) => entry ?? [])).at(-1), "  again: x");
});

Deno.test("summaryLines() says nothing where all passed, and cuts off where all failed", () => {
  assert.deepEqual(lines([ended("a/b/c", "pass", [])]), []);
  const many = Array.from({ length: 100 }, (_, i) => ended(`a/b/${i}`, "fail", ["no"]));
  assert.deepEqual(lines(many).slice(-2), ["        no", "  and 60 more above"]);
});

Deno.test("summaryLines() lets nothing through that a terminal acts on", () => {
  const nasty = ["a\u001b[2Jb\nnot ok"];
  const all = [...lines([ended("a/b/c", "fail", nasty), ended("a/b/d", "skip", nasty)], {
    what: "boot\u009b",
    why: "x\u001b]0;y",
  })];
  // deno-lint-ignore no-control-regex
  for (const line of all) assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/);
});
