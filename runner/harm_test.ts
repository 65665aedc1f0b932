import assert from "node:assert/strict";
import type { CaseInfo } from "../core/case.ts";
import type { RunEvent } from "../core/event.ts";
import type { SideReport, Verdict } from "../core/outcome.ts";
import { planRun } from "../core/plan.ts";
import type { Harm } from "../core/taint.ts";
import { serveController } from "../agent/session.ts";
import { LineChannel } from "../control/channel.ts";
import { streamPair } from "../control/stream_pair.ts";
import { End } from "./end.ts";
import { type RunOptions, runPlan, type RunResult } from "./run.ts";

const FACTS = { name: "agent", kernel: "7.3.4", machine: "x86_64", version: "0.1.0" };
const PASS: SideReport = { state: "pass", reasons: [], step: "", milliseconds: 1 };
const WARNED: Harm = { taint: 512, effects: ["tainted: W (it warned)"] };
const DIED: Harm = { taint: 640, effects: ["tainted: D (it died)", ...WARNED.effects] };
const LASTS: Harm = { ...DIED, lasting: true };

const PLAN = planRun(
  ["one", "two", "three", "four"].map((name): CaseInfo => ({
    id: `a/b/${name}`,
    title: name,
    requirement: "it MUST work",
    refs: [],
  })),
  ["host-server"],
);

async function endOf(name: string, harmAfter: (id: string) => Harm | undefined): Promise<End> {
  const [near, far] = streamPair();
  const runSide = ({ id }: { id: string }) => {
    const harm = harmAfter(id);
    return Promise.resolve(harm === undefined ? PASS : { ...PASS, harm });
  };
  serveController(new LineChannel(far), { facts: FACTS, runSide }).catch(() => {});
  return await End.open(name, new LineChannel(near), FACTS);
}

interface Ran extends RunResult {
  readonly verdicts: Readonly<Record<string, Verdict>>;
  readonly events: readonly RunEvent[];
}

/** Runs the plan with a guest whose kernel is as a test says. */
async function run(
  harmAfter: (id: string) => Harm | undefined,
  options: Partial<RunOptions> = {},
): Promise<Ran> {
  const ends = {
    host: await endOf("host", () => undefined),
    guest: await endOf("guest", harmAfter),
  };
  const events: RunEvent[] = [];
  const result = await runPlan({
    topology: "guest-host",
    plan: PLAN,
    ends,
    port: 1,
    timeout: 10_000,
    seed: 7,
    sink: (event) => events.push(event),
    ...options,
  });
  ends.host.close();
  ends.guest.close();
  const verdicts = Object.fromEntries(
    events.flatMap((event) => event.type === "case-end" ? [[event.run.id, event.verdict]] : []),
  );
  return { ...result, verdicts, events };
}

/** A kernel that goes wrong in a case, and stays so. */
function since(first: string, harm: Harm): (id: string) => Harm | undefined {
  let isHarmed = false;
  return (id) => {
    isHarmed ||= id === first;
    return isHarmed ? harm : undefined;
  };
}

const WHY = "the kernel of the guest has gone wrong (tainted: D (it died); tainted: W (it warned))";

Deno.test("runPlan() says once what a kernel is from a case on, where it goes on as it did", async () => {
  const { verdicts, stopped } = await run(since("a/b/two", WARNED));
  assert.equal(stopped, undefined);
  assert.deepEqual(Object.values(verdicts).map(({ reasons }) => reasons), [
    [],
    ["guest: its kernel from now on: tainted: W (it warned)"],
    [],
    [],
  ]);
  assert.deepEqual(verdicts["a/b/four"]?.sides?.client.harm, WARNED);
});

Deno.test("runPlan() stops where a kernel has gone wrong, and says what did not run", async () => {
  const { verdicts, stopped, events } = await run(since("a/b/two", LASTS));
  assert.deepEqual(Object.keys(verdicts), ["a/b/one", "a/b/two"]);
  assert.equal(stopped, `${WHY}; --keep-going runs the rest anyway`);
  const end = events.find(({ type }) => type === "run-stopped");
  assert.deepEqual(end, { type: "run-stopped", reason: stopped, notRun: 2 });
});

Deno.test("runPlan() is not stopped by the harm of its last case", async () => {
  const { verdicts, stopped } = await run(since("a/b/four", LASTS));
  assert.equal(Object.keys(verdicts).length, 4);
  assert.equal(stopped, undefined);
});

Deno.test("runPlan() that keeps going says of each verdict what it was found on", async () => {
  const { verdicts, stopped } = await run(since("a/b/two", LASTS), { keepGoing: true });
  assert.equal(stopped, undefined);
  const found = Object.values(verdicts).map(({ reasons }) =>
    reasons.filter((x) => /^judged/.test(x))
  );
  assert.deepEqual(found, [[], [], [`judged in spite of this: ${WHY}`], [
    `judged in spite of this: ${WHY}`,
  ]]);
});

for (const jobs of [1, 2]) {
  Deno.test(`runPlan() goes on with clean kernels where it is given them, ${jobs} at a time`, async () => {
    let isHarmed = false;
    const told: string[] = [];
    const { verdicts, stopped } = await run(
      (id) => {
        isHarmed ||= id === "a/b/two";
        return isHarmed ? LASTS : undefined;
      },
      {
        jobs,
        onTainted: (why) => {
          told.push(why);
          isHarmed = false;
          return Promise.resolve(true);
        },
      },
    );
    assert.equal(stopped, undefined);
    assert.deepEqual(told, [WHY]);
    assert.deepEqual(Object.keys(verdicts).sort(), PLAN.map((planned) => planned.case.id).sort());
    assert.deepEqual(verdicts["a/b/four"]?.reasons, []);
    assert.deepEqual(verdicts["a/b/four"].sides?.client.harm, undefined);
  });
}

Deno.test("runPlan() stops where it is given no clean kernels", async () => {
  const { verdicts, stopped } = await run(since("a/b/one", LASTS), {
    onTainted: () => Promise.resolve(false),
  });
  assert.deepEqual(Object.keys(verdicts), ["a/b/one"]);
  assert.match(stopped ?? "", /^the kernel of the guest has gone wrong/);
});
