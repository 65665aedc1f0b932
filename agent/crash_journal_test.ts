import assert from "node:assert/strict";
import type { SideReport } from "../core/outcome.ts";
import { MAX_SIDES, type SideOrder, type SideRunner } from "./session.ts";
import { MAX_TIME } from "../control/wire.ts";
import { MonotonicClock } from "../sys/libc_fast.ts";
import { CrashJournal, recoveredReports } from "./crash_journal.ts";

const PASS: SideReport = { state: "pass", reasons: [], step: "", milliseconds: 1 };

const clock = new MonotonicClock();
const monotonicTime = () => clock.now() / 1e6;

function order(run: number): SideOrder {
  return {
    run,
    id: "a/b/c",
    role: "client",
    port: 1,
    seed: 1,
    timeout: 60_000,
    lines: { write: () => Promise.resolve(), read: () => new Promise(() => {}) },
    stop: new AbortController().signal,
    onStep: () => {},
  };
}

/** Calls `body` with the path of a file that is not there yet. */
async function withPath(body: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(`${folder}/journal`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs sides that end when told to, and gives what a successor would read meanwhile. */
const steps = (end: Promise<void>, ...names: string[]): SideRunner => async ({ onStep }) => {
  names.forEach(onStep);
  await end;
  return PASS;
};

Deno.test("CrashJournal leaves the sides under way, each with its last step, and none that ended", () =>
  withPath(async (path) => {
    using first = CrashJournal.open(path);
    assert.equal(first.previous, undefined);
    first.note({ port: 7 });
    first.note({ session: "a run", kernel: { log: 12, taint: 512 } });
    const { promise, resolve } = Promise.withResolvers<void>();
    const long = "x".repeat(5000);
    const sides = [
      first.around(steps(promise, "socket()", "recv(3)"))(order(1)),
      first.around(steps(promise, long))(order(3)),
    ];
    await first.around(steps(Promise.resolve(), "ended"))(order(2));
    const text = await Deno.readTextFile(path);
    assert.match(text, /recv\(3\)/);
    assert.doesNotMatch(text, /t\(\)|ended/, "what is over is not in the file any more");
    using second = CrashJournal.open(path);
    const { sides: left = [], ...own } = second.previous ?? {};
    assert.deepEqual(own, { port: 7, session: "a run", kernel: { log: 12, taint: 512 } });
    assert.deepEqual(left.map(({ run }) => run).sort(), [1, 3]);
    assert.equal(left.find(({ run }) => run === 1)?.step, "recv(3)");
    const cut = left.find(({ run }) => run === 3)?.step ?? "";
    assert.ok(long.startsWith(cut) && cut.length > 900);
    resolve();
    await Promise.all(sides);
  }));

Deno.test("CrashJournal.around() has room for as many sides as an agent runs, again and again", () =>
  withPath(async (path) => {
    using journal = CrashJournal.open(path);
    for (let round = 0; round < 3; round++) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const run = journal.around(steps(promise, "a step"));
      const sides = Array.from({ length: MAX_SIDES }, (_, i) => run(order(i)));
      resolve();
      assert.equal((await Promise.all(sides)).length, MAX_SIDES);
    }
  }));

Deno.test("CrashJournal.open() takes a file of another form for none", () =>
  withPath(async (path) => {
    await Deno.writeTextFile(path, "what is this");
    using journal = CrashJournal.open(path);
    assert.equal(journal.previous, undefined);
  }));

Deno.test("CrashJournal.open() takes a record that did not fit for none", () =>
  withPath(async (path) => {
    using first = CrashJournal.open(path);
    first.note({ session: "x".repeat(2000) });
    using second = CrashJournal.open(path);
    assert.equal(second.previous, undefined);
    await Promise.resolve();
  }));

Deno.test("recoveredReports() tells a side that hung from one whose process died", () => {
  // Not the time of day, which a restored VM is set to anew.
  const now = monotonicTime();
  const side = { timeout: 60_000, step: "recv(3)" };
  const sides = [{ ...side, run: 1, begun: now - 10 }, { ...side, run: 2, begun: now - 300_000 }];
  const harm = { taint: 128, effects: ["tainted: D"], lasting: true } as const;
  const reportsAfter = (how: string) =>
    recoveredReports({ sides }, how, { splats: [["BUG: x"]], harm }).map(({ report }) => report);
  const [died, hung] = reportsAfter("SIGKILL");
  assert.deepEqual([died?.state, died?.reasons], ["broken", ["its process died: SIGKILL"]]);
  assert.deepEqual([died?.splats, died?.harm], [[["BUG: x"]], harm]);
  assert.equal(hung?.state, "timeout");
  assert.match(
    hung.reasons.join(),
    /^it had not ended after 60 s, and its process did not respond/,
  );
  const [, late] = reportsAfter("SIGSEGV");
  assert.deepEqual(
    [late?.state, late?.reasons],
    ["broken", ["its process died: SIGSEGV"]],
    "the next process took long to come",
  );
  assert.ok(died?.died && hung.died);
  for (const [begun, most] of [[now + 1e6, 0], [-1e12, MAX_TIME]] as const) {
    const [report] = recoveredReports({ sides: [{ ...side, run: 1, begun }] }, "SIGKILL", {});
    assert.equal(report?.report.milliseconds, most, "what no message could carry");
  }
  assert.deepEqual(recoveredReports({ sides: [] }, "SIGKILL", {}), []);
});

Deno.test("CrashJournal writes down when a side began, by a clock that nobody sets", () =>
  withPath(async (path) => {
    using journal = CrashJournal.open(path);
    journal.note({ port: 7 });
    const { promise, resolve } = Promise.withResolvers<void>();
    const from = monotonicTime();
    const side = journal.around(steps(promise, "a step"))(order(1));
    const until = monotonicTime();
    using successor = CrashJournal.open(path);
    const begun = successor.previous?.sides[0]?.begun ?? NaN;
    assert.ok(begun >= Math.floor(from) && begun <= until, `${from} <= ${begun} <= ${until}`);
    resolve();
    await side;
  }));
