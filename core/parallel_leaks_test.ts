import assert from "node:assert/strict";
import { validateCase } from "./case.ts";
import type { SideReport, SideState, Verdict } from "./outcome.ts";
import { NOTHING_LEFT, Unchecked, withLeakCheck } from "./parallel_leaks.ts";

const run = (id: string, direction: "host-server" | "guest-server" = "host-server") => ({
  number: 1,
  id,
  direction,
});

function verdict(outcome: Verdict["outcome"], state: SideState = "pass"): Verdict {
  const side = (state: SideState): SideReport => ({
    state,
    reasons: [],
    step: "",
    milliseconds: 1,
  });
  const sides = { client: side(state), server: side("pass") };
  return { outcome, reasons: outcome === "pass" ? [] : ["why"], milliseconds: 1, sides };
}

/** The cases that a look after some others names. */
function named(unseen: Unchecked): string[] {
  const { reasons } = unseen.check(run("look"), verdict("fail"), false);
  return reasons.filter((reason) => reason.startsWith("| ")).map((reason) => reason.slice(2));
}

Deno.test("NOTHING_LEFT is a case like others, with ends that are told of in place of bodies", () =>
  validateCase({ ...NOTHING_LEFT, client: () => {}, server: () => {} }));

Deno.test("withLeakCheck() adds a look where cases run in parallel and somebody can look", () => {
  const cases = [{ ...NOTHING_LEFT, id: "a/b/alone" }];
  const { alone: _, ...other } = { ...NOTHING_LEFT, id: "a/b/other" };
  const both = [...cases, other];
  assert.deepEqual(withLeakCheck(both, 2, true), [...both, NOTHING_LEFT]);
  assert.deepEqual(withLeakCheck(both, 1, true), both);
  assert.deepEqual(withLeakCheck(both, 2, false), both);
  assert.deepEqual(withLeakCheck(cases, 2, true), cases);
});

Deno.test("Unchecked names what ran in parallel, and what died alone before that", () => {
  const unseen = new Unchecked();
  unseen.add(run("a"), verdict("fail", "fail"), false);
  unseen.add(run("b"), verdict("pass"), false);
  assert.deepEqual(named(unseen), [], "the kernels were looked at after both");
  const dead = verdict("broken", "broken");
  const { client, server } = dead.sides ?? assert.fail();
  const sides = { client: { ...client, died: true as const }, server };
  unseen.add(run("c", "guest-server"), { ...dead, sides }, false);
  unseen.add(run("d"), verdict("pass"), true);
  unseen.add(run("e"), verdict("skip", "skip"), true);
  unseen.add(run("f"), verdict("fail", "fail"), true);
  assert.deepEqual(named(unseen), ["c (guest-server)", "d", "f"]);
  assert.deepEqual(named(unseen), [], "they are seen now");
});

Deno.test("Unchecked takes no look for a pass where nothing ran that could leave anything", () => {
  const unseen = new Unchecked();
  unseen.add(run("a"), verdict("skip", "skip"), true);
  assert.equal(unseen.check(run("look"), verdict("pass"), false).outcome, "skip");
});

Deno.test("Unchecked takes a case whose sides passed and that fails of a leak for looked at", () => {
  const unseen = new Unchecked();
  unseen.add(run("a"), verdict("fail", "pass"), false);
  assert.deepEqual(named(unseen), []);
});

Deno.test("Unchecked knows nothing where a process died that knew what there was before", () => {
  const look = (outcome: Verdict["outcome"], died: boolean) => {
    const unseen = new Unchecked();
    unseen.add(run("a"), verdict("broken", "broken"), true);
    return unseen.check(run("look"), verdict(outcome), died);
  };
  assert.deepEqual(look("pass", false), verdict("pass"));
  const unknown = look("pass", true);
  assert.equal(unknown.outcome, "broken");
  assert.match(unknown.reasons.join(), /^a process died while the cases ran/);
  assert.equal(look("fail", true).outcome, "fail");
  assert.deepEqual(look("broken", true), verdict("broken"));
});
