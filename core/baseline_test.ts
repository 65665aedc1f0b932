import assert from "node:assert/strict";
import fc from "fast-check";
import { Baseline, type Judged } from "./baseline.ts";
import type { Outcome, SideReport, Verdict } from "./outcome.ts";

const IDS = ["a/b/one", "a/b/two", "c/d/three"];
const SIDE: SideReport = { state: "pass", reasons: [], step: "", milliseconds: 1 };

function verdict(outcome: Outcome, server: Partial<SideReport> = {}): Verdict {
  const reasons = outcome === "pass" ? [] : ["server: a claim"];
  const sides = { client: SIDE, server: { ...SIDE, ...server } };
  return { outcome, reasons, milliseconds: 1, sides };
}

/** What a baseline makes of a failure, or another outcome. */
function judged(text: string, where: Partial<Judged> = {}, of: Verdict = verdict("fail")): Verdict {
  const at: Judged = {
    id: "a/b/one",
    direction: "loopback",
    kernels: ["6.1.0-37-amd64"],
    ...where,
  };
  return Baseline.parse(text, "known", IDS).judge(at, of);
}

Deno.test("Baseline.judge() expects what is known to fail, and says why it is known", () => {
  const text = "# of a kernel\n\na/b/one # ENOMEM, not EFAULT # see docs\n";
  const { outcome, reasons, sides } = judged(text);
  assert.equal(outcome, "expected-fail");
  assert.deepEqual(reasons, ["known: ENOMEM, not EFAULT # see docs (known:3)", "server: a claim"]);
  assert.deepEqual(sides, verdict("fail").sides, "what the sides said is kept");
  assert.equal(judged(text, { id: "a/b/two" }).outcome, "fail");
  for (const outcome of ["warn", "timeout"] as const) {
    assert.equal(judged(text, {}, verdict(outcome)).outcome, "expected-fail");
  }
});

Deno.test("Baseline.judge() makes the pass of what is known to fail a failure", () => {
  const { outcome, reasons } = judged("a/** # why", {}, verdict("pass"));
  assert.equal(outcome, "unexpected-pass");
  const again = judged("a/** # why", {}, { ...verdict("retried"), reasons: ["run again: x"] });
  assert.equal(again.outcome, "unexpected-pass");
  assert.equal(again.reasons.at(-1), "run again: x");
  assert.match(
    reasons.join(),
    /^it passed, but known:1 says that it fails \(why\): remove the line/,
  );
});

Deno.test("Baseline.judge() never excuses what is broken, skipped, or a fault of a kernel", () => {
  for (const outcome of ["broken", "skip"] as const) {
    assert.equal(judged("a/b/one # why", {}, verdict(outcome)).outcome, outcome);
  }
  const splats = [["BUG: KASAN"]];
  assert.equal(judged("a/b/one # why", {}, verdict("fail", { splats })).outcome, "fail");
  const { sides: _, ...died } = verdict("fail");
  assert.equal(judged("a/b/one # why", {}, died).outcome, "fail");
});

Deno.test("Baseline.judge() heeds directions and the kernels of either end", () => {
  const holds = (words: string, where: Partial<Judged>) =>
    judged(`a/b/one ${words} # why`, where).outcome === "expected-fail";
  assert.ok(holds("loopback", {}));
  assert.ok(!holds("host-server guest-server", {}));
  assert.ok(holds("guest-server loopback 6.1", {}));
  assert.ok(holds("<6.2", { kernels: ["7.3.4", "6.1.5"] }));
  const kernels = ["6.1.0-rc3", "6.1.192", "6.12.117+deb12", "7.3.4"];
  const where = (words: string) => kernels.filter((kernel) => holds(words, { kernels: [kernel] }));
  assert.deepEqual(where("6.1"), kernels.slice(0, 2));
  assert.deepEqual(where("6"), kernels.slice(0, 3));
  assert.deepEqual(where("<=6.12"), kernels.slice(0, 3));
  assert.deepEqual(where(">6.1"), kernels.slice(2));
  assert.deepEqual(where(">=6.1.192 <7"), kernels.slice(1, 3));
});

Deno.test("Baseline.parse() refuses lines that say nothing, or what cannot be, and names them", () => {
  const cases: [string, RegExp][] = [
    ["a/b/one", /^known:1: no reason; write "selector # reason"$/],
    ["\n# x\na/b/one #  ", /^known:3: no reason/],
    ["a/b/four # why", /^known:1: no case matches "a\/b\/four"; correct or remove the line$/],
    ["z/** # why", /no case matches "z\/\*\*"/],
    [
      "a/b/one 6.x # why",
      /"6.x" is neither a kernel's version, such as 6.1.*nor one of host-server/,
    ],
    ["a/b/one toString # why", /"toString" is neither a kernel's version/],
    ["a/b/one sideways # why", /"sideways" is neither/],
    ["a/b/one # why\na/b/one # again", /^known:2: repeats known:1$/],
    ["a/b/one >=6.12 <6.1 # why", /^known:1: no kernel's version is in that range$/],
    ["a/b/one 6.1 6.2 # why", /no kernel's version is in that range/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => Baseline.parse(text, "known", IDS), { name: "BaselineError", message });
  }
  assert.equal(judged("").outcome, "fail");
});

Deno.test("Baseline.parse() takes a range exactly where a version is in it", () => {
  const number = fc.nat(3);
  const version = fc.array(number, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("."));
  const bound = fc.tuple(fc.constantFrom("", "<", "<=", ">", ">="), version)
    .map(([sign, version]) => `${sign}${version}`);
  const versions = [0, 1, 2, 3, 4, 1e6].flatMap((a, _, all) =>
    all.flatMap((b) => all.map((c) => `${a}.${b}.${c}`))
  );
  fc.assert(
    fc.property(fc.array(bound, { minLength: 1, maxLength: 3 }), (bounds) => {
      const text = `a/b/one ${bounds.join(" ")} # why`;
      let baseline: Baseline | undefined;
      try {
        baseline = Baseline.parse(text, "known", IDS);
      } catch {
        // Then no version may be in it, which a range without the check would tell.
      }
      const one = (words: string, kernel: string) =>
        Baseline.parse(`a/b/one ${words} # why`, "known", IDS).judge(
          { id: "a/b/one", direction: "loopback", kernels: [kernel] },
          verdict("fail"),
        ).outcome === "expected-fail";
      const possible = versions.some((version) =>
        bounds.every((word) => tryOne(one, word, version))
      );
      assert.equal(baseline !== undefined, possible, text);
    }),
    { numRuns: 100 },
  );
});

/** Whether a version is within one bound; none is within a bound that cannot be. */
function tryOne(one: (w: string, k: string) => boolean, word: string, version: string): boolean {
  try {
    return one(word, version);
  } catch {
    return false;
  }
}
