import assert from "node:assert/strict";
import fc from "fast-check";
import type { CaseInfo } from "./case.ts";
import type { Outcome, Verdict } from "./outcome.ts";
import { planRun } from "./plan.ts";
import { CaseRounds, roundsOf, RoundTable } from "./round.ts";

const CASES = Array.from({ length: 20 }, (_, i): CaseInfo => ({
  id: `a/b/n${i}`,
  title: "",
  requirement: "it MUST work",
  refs: [],
}));
const PLAN = planRun(CASES, ["host-server", "guest-server"]);

function verdict(outcome: Outcome, why: string = outcome): Verdict {
  return { outcome, reasons: outcome === "pass" ? [] : [why], milliseconds: 1 };
}

/** The rounds in which a case had these outcomes. */
function roundsWith(...outcomes: readonly Outcome[]): CaseRounds {
  const rounds = new CaseRounds();
  outcomes.forEach((outcome, i) => rounds.add(verdict(outcome), { number: i + 1, seed: 100 + i }));
  return rounds;
}

Deno.test("roundsOf() gives one round, the plan as it is, where nothing else is asked for", () => {
  assert.deepEqual([...roundsOf(PLAN, { seed: 7 })], [{ number: 1, seed: 7, plan: PLAN }]);
});

Deno.test("roundsOf() gives each round a seed of its own, the first one the run's", () => {
  const seeds = [...roundsOf(PLAN, { seed: 7, repeat: 50 })].map(({ seed }) => seed);
  assert.equal(seeds[0], 7);
  assert.equal(new Set(seeds).size, 50);
  assert.deepEqual(seeds, [...roundsOf(PLAN, { seed: 7, repeat: 50 })].map(({ seed }) => seed));
});

Deno.test("roundsOf() shuffles each direction by itself, by the round's seed and nothing else", () => {
  fc.assert(fc.property(fc.nat(0xffffffff), (seed) => {
    const rounds = [...roundsOf(PLAN, { seed, repeat: 3, shuffle: true })];
    for (const { plan, seed } of rounds) {
      assert.deepEqual(plan.map(({ direction }) => direction), PLAN.map((x) => x.direction));
      assert.deepEqual(new Set(plan), new Set(PLAN));
      const [again] = roundsOf(PLAN, { seed, shuffle: true });
      assert.deepEqual(again?.plan, plan, "--seed of a round brings its order back");
    }
    assert.notDeepEqual(rounds[0]?.plan, rounds[1]?.plan);
  }));
});

Deno.test("roundsOf() can put any case anywhere", () => {
  const first = new Set<string | undefined>();
  for (const { plan } of roundsOf(PLAN, { seed: 1, repeat: 400, shuffle: true })) {
    first.add(plan[0]?.case.id);
  }
  assert.equal(first.size, CASES.length);
});

Deno.test("CaseRounds gives the verdict where all agree, as it is", () => {
  const rounds = roundsWith("fail", "fail");
  assert.equal(rounds.flaky, false);
  assert.deepEqual(rounds.verdict, verdict("fail"));
  assert.deepEqual(rounds.outcomes, { fail: 2 });
  assert.equal(new CaseRounds().verdict, undefined);
});

Deno.test("CaseRounds gives the first of the worst verdicts, and says that it is flaky", () => {
  const rounds = roundsWith("pass", "skip", "fail", "fail", "timeout", "pass");
  assert.equal(rounds.flaky, true);
  assert.equal(rounds.verdict?.outcome, "fail");
  assert.deepEqual(rounds.verdict.reasons, [
    "flaky in 6 rounds: fail 2, timeout 1, skip 1, pass 2; this is round 3, seed 102",
    "fail",
  ]);
  assert.equal(roundsWith("pass", "expected-fail").verdict?.outcome, "expected-fail");
  assert.equal(roundsWith("expected-fail", "unexpected-pass").verdict?.outcome, "unexpected-pass");
});

Deno.test("CaseRounds does not call a case flaky that had to be run again, and tells it", () => {
  const rounds = roundsWith("pass", "retried", "pass");
  assert.equal(rounds.flaky, false);
  assert.deepEqual(rounds.verdict, verdict("retried"));
  assert.deepEqual(rounds.outcomes, { pass: 2, retried: 1 });
  assert.equal(roundsWith("retried", "fail").flaky, true);
  assert.equal(roundsWith("retried", "fail").verdict?.outcome, "fail");
});

Deno.test("CaseRounds.amend() takes a worse verdict in place of the last", () => {
  const alone = roundsWith("pass");
  alone.amend(verdict("fail"));
  assert.deepEqual([alone.verdict, alone.outcomes], [verdict("fail"), { fail: 1 }]);
  assert.equal(alone.flaky, false);
  const second = roundsWith("pass", "pass");
  second.amend(verdict("fail"));
  assert.deepEqual(second.outcomes, { pass: 1, fail: 1 });
  assert.match(second.verdict?.reasons[0] ?? "", /this is round 2, seed 101$/);
  const failed = roundsWith("fail", "warn");
  failed.amend(verdict("fail"));
  assert.deepEqual([failed.verdict, failed.outcomes], [verdict("fail"), { fail: 2 }]);
  new CaseRounds().amend(verdict("fail"));
});

Deno.test("RoundTable keeps directions apart, and names what is flaky", () => {
  const table = new RoundTable();
  const [one, other] = [
    { id: "a/b/c", direction: "host-server" } as const,
    { id: "a/b/c", direction: "guest-server" } as const,
  ];
  for (const [run, outcome] of [[one, "pass"], [other, "pass"], [other, "fail"]] as const) {
    table.of(run).add(verdict(outcome), { number: 1, seed: 1 });
  }
  assert.deepEqual(table.flaky().map(({ run }) => run), [other]);
  assert.deepEqual(table.of(one).outcomes, { pass: 1 });
});
