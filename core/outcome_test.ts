import assert from "node:assert/strict";
import fc from "fast-check";
import {
  countOutcomes,
  DRAWN,
  EXIT,
  exitCode,
  inBrief,
  joinSides,
  noCounts,
  type Outcome,
  type SideReport,
  type SideState,
} from "./outcome.ts";

const STATES: readonly SideState[] = ["pass", "fail", "timeout", "broken", "skip", "stopped"];

function side(state: SideState, milliseconds = 1): SideReport {
  const reasons = state === "pass" ? [] : [`why ${state}`];
  return { state, reasons, step: `step ${state}`, milliseconds };
}

/** The whole table: rows are the client's state, columns the server's, in the order of STATES. */
const TABLE: Readonly<Record<SideState, readonly Outcome[]>> = {
  pass: ["pass", "fail", "timeout", "broken", "skip", "broken"],
  fail: ["fail", "fail", "fail", "fail", "fail", "fail"],
  timeout: ["timeout", "fail", "timeout", "timeout", "timeout", "timeout"],
  broken: ["broken", "fail", "timeout", "broken", "broken", "broken"],
  skip: ["skip", "fail", "timeout", "broken", "skip", "skip"],
  stopped: ["broken", "fail", "timeout", "broken", "skip", "broken"],
};

Deno.test("joinSides() follows the table of both sides' states", () => {
  for (const client of STATES) {
    const outcomes = STATES.map((server) =>
      joinSides({ client: side(client), server: side(server) }, "must").outcome
    );
    assert.deepEqual(outcomes, TABLE[client], `client ${client}`);
  }
});

Deno.test("joinSides() turns nothing but a failure of a SHOULD into a warning", () => {
  for (const client of STATES) {
    for (const server of STATES) {
      const sides = { client: side(client), server: side(server) };
      const must = joinSides(sides, "must").outcome;
      const should = joinSides(sides, "should").outcome;
      assert.equal(should, must === "fail" ? "warn" : must);
    }
  }
});

Deno.test("joinSides() gives reasons and the last step under the side's name", () => {
  const sides = { client: side("fail", 5), server: side("stopped", 9) };
  const verdict = joinSides(sides, "must", { client: "client (host)", server: "server (guest)" });
  assert.deepEqual(verdict, {
    outcome: "fail",
    reasons: [
      "client (host): why fail",
      "client (host): last step: step fail",
      "server (guest): why stopped",
      "server (guest): last step: step stopped",
    ],
    milliseconds: 9,
    sides,
  });
});

Deno.test("joinSides() gives of a skip what is lacking, and nothing of the other side", () => {
  const sides = { client: side("skip"), server: side("stopped") };
  const { outcome, reasons } = joinSides(sides, "must");
  assert.deepEqual([outcome, reasons], ["skip", [
    "client: why skip",
    "client: last step: step skip",
  ]]);
});

Deno.test("joinSides() says that the other side passed, and nothing where both did", () => {
  const failed = joinSides({ client: side("pass"), server: side("broken") }, "must");
  assert.equal(failed.reasons[0], "client: passed");
  assert.deepEqual(joinSides({ client: side("pass"), server: side("pass") }, "must").reasons, []);
});

Deno.test("joinSides() makes a kernel's fault a failure, whatever the sides and the level say", () => {
  const splats = [["BUG: KASAN: use-after-free", "Call Trace:"]];
  for (const client of STATES) {
    for (const level of ["must", "should"] as const) {
      const sides = { client: side(client), server: { ...side("pass"), splats } };
      const { outcome, reasons } = joinSides(sides, level);
      assert.equal(outcome, "fail");
      assert.deepEqual(reasons.slice(0, 2), [
        "server: its kernel reported: BUG: KASAN: use-after-free",
        "| Call Trace:",
      ]);
    }
  }
});

Deno.test("joinSides() quotes a fault once where both sides saw the same", () => {
  const splats = [["BUG: x"]];
  const sides = { client: { ...side("pass"), splats }, server: { ...side("pass"), splats } };
  assert.deepEqual(joinSides(sides, "must").reasons, ["client: its kernel reported: BUG: x"]);
});

Deno.test("joinSides() makes of a side whose process died what it is, whatever the other saw", () => {
  for (const state of ["broken", "timeout"] as const) {
    for (const other of STATES) {
      const sides = { client: side(other), server: { ...side(state), died: true as const } };
      assert.equal(joinSides(sides, "should").outcome, state);
    }
  }
  const splats = [["BUG: x"]];
  const faulty = {
    client: side("pass"),
    server: { ...side("broken"), died: true as const, splats },
  };
  assert.equal(joinSides(faulty, "must").outcome, "fail");
});

Deno.test("exitCode() is 0 exactly where nothing failed or was broken, and not all was skipped", () => {
  const outcome = fc.constantFrom(...Object.keys(noCounts()) as Outcome[]);
  fc.assert(fc.property(fc.array(outcome), fc.boolean(), (outcomes, strict) => {
    const code = exitCode(countOutcomes(outcomes.map((outcome) => ({ outcome }))), strict);
    const has = (...which: Outcome[]) => outcomes.some((outcome) => which.includes(outcome));
    const failed = has("fail", "timeout", "unexpected-pass") || strict && has("warn", "retried");
    const isIdle = outcomes.length > 0 && outcomes.every((outcome) => outcome === "skip");
    const good = isIdle ? EXIT.skipped : EXIT.ok;
    assert.equal(code, failed ? EXIT.failed : has("broken") ? EXIT.broken : good);
  }));
  assert.equal(exitCode({ ...noCounts(), skip: 3 }), 4, "as kselftest has it");
});

Deno.test("countOutcomes() counts each", () => {
  const outcomes = (["pass", "pass", "skip"] as const).map((outcome) => ({ outcome }));
  assert.deepEqual(countOutcomes(outcomes), { ...noCounts(), pass: 2, skip: 1 });
});

Deno.test("inBrief() leaves out pictures of what happened, and nothing else", () => {
  const drawn = ["it | that", `${DRAWN}a -> b`, "a | b"];
  const sides = { client: { ...side("fail"), reasons: drawn }, server: side("pass") };
  const verdict = joinSides(sides, "must");
  assert.ok(verdict.reasons.includes("client: | a -> b"));
  const brief = inBrief(verdict);
  assert.ok(!brief.includes("->"), brief);
  assert.match(brief, /^client: it \| that; client: a \| b; /);
});
