import assert from "node:assert/strict";
import type { SideReport, SideState } from "../../core/outcome.ts";
import { type Attempt, proveHang } from "./hang.ts";

const WHOLE = ["socket(unix, stream)", "connect(5, unix 1:7)", "poll(5, 1 ms)", "recv(5, 8, 0)"];
const DEADLINES = [100, 300, 900];

function report(state: SideState, step = ""): SideReport {
  return { state, reasons: state === "timeout" ? ["it had not ended"] : [], step, milliseconds: 1 };
}

/** A side that had not ended, after these steps. */
function stands(steps: readonly string[], other: SideState = "stopped"): Attempt {
  const hangs = report("timeout", steps.at(-1));
  return { outcome: "timeout", hangs, other: report(other), steps };
}

const PASSED: Attempt = {
  outcome: "pass",
  hangs: report("pass"),
  other: report("pass"),
  steps: WHOLE,
};
const HANGS = stands(["socket(unix, stream)", "connect(6, unix 1:9)", "poll(6, 1 ms)"]);

/** What comes of these attempts, and how many of them were made. */
async function prove(attempts: readonly Attempt[], reason = /not ended[^]*poll/) {
  const left = [...attempts];
  const attempt = () => Promise.resolve(left.shift() ?? assert.fail("one attempt too many"));
  const problem = await proveHang({ attempt, whole: WHOLE, reason, deadlines: DEADLINES });
  return { problem, made: attempts.length - left.length };
}

Deno.test("proveHang() takes two deadlines in a row that find a side at the same step", async () => {
  assert.deepEqual(await prove([HANGS, HANGS]), { problem: undefined, made: 2 });
  const loops = stands([...HANGS.steps, "recv(6, 8, 0)", "poll(6, 1 ms)"]);
  assert.deepEqual(await prove([loops, loops]), { problem: undefined, made: 2 });
});

Deno.test("proveHang() lets a machine stand still, before and between", async () => {
  const slow = stands(["socket(unix, stream)"]);
  assert.deepEqual(await prove([slow, HANGS, HANGS]), { problem: undefined, made: 3 });
  const { problem, made } = await prove([HANGS, slow, HANGS]);
  assert.match(problem ?? "", /^no second deadline found it at "poll\(fd, 1 ms\)"/);
  assert.equal(made, 3);
});

Deno.test("proveHang() does not take a slow side for one that hangs", async () => {
  // One success of several was enough once.
  const { problem, made } = await prove([HANGS, PASSED]);
  assert.match(problem ?? "", /^it passes within 300 ms, and hangs nowhere$/);
  assert.equal(made, 2);
  const further = stands([...HANGS.steps, "recv(6, 8, 0)"]);
  const moving = await prove([HANGS, further, HANGS], /not ended/);
  assert.match(moving.problem ?? "", /no second deadline/);
});

Deno.test("proveHang() wants the step, the way to it, and the other side as they are to be", async () => {
  const all = (attempt: Attempt) => prove([attempt, attempt, attempt]);
  const elsewhere = await all(stands([...HANGS.steps, "recv(6, 8, 0)"]));
  assert.match(elsewhere.problem ?? "", /^it did not hang where it is to/);
  const another = await all(stands(["socket(unix, stream)", "listen(6, 1)", "poll(6, 1 ms)"]));
  assert.match(another.problem ?? "", /^it went another way before: .*listen\(fd, 1\)/);
  const alone = await all(stands(HANGS.steps, "broken"));
  assert.match(alone.problem ?? "", /^the other side was not there for it/);
  const failed = await all({ ...HANGS, outcome: "fail", hangs: report("fail") });
  assert.match(failed.problem ?? "", /^expected timeout, got fail/);
});
