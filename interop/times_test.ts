import assert from "node:assert/strict";
import { CaseClock, interopTimes } from "./times.ts";
import { type InteropCase, type InteropCell, PAIRINGS } from "./cell.ts";

Deno.test("CaseClock.times() are those between the lines that begin cases", () => {
  let now = 0;
  const clock = new CaseClock(() => now);
  const at = (time: number, text: string) => {
    now = time;
    clock.take(text);
  };
  at(10, "Control socket connected\n0 - one.");
  at(12, "..");
  at(40, "ok\n1 - two...ok\n12 - thr");
  at(41, "ee...");
  at(50, "3 - not at a line's begin...\nok\n");
  assert.deepEqual([...clock.times()], [[0, 28], [1, 1], [12, 9]]);
});

Deno.test("interopTimes() compares what both did, and sums it up", () => {
  const info = (position: number): InteropCase => ({
    program: "vsock_test",
    listLength: 3,
    position,
    name: `Case ${position}`,
    id: `a/b/case-${position}`,
  });
  const cases = [info(0), info(1)];
  const times = [[30, 1, 1, 20], [40, 1, 1, 20]];
  const cells = cases.flatMap((of, i): InteropCell[] =>
    PAIRINGS.map((pairing, j) => ({
      case: of,
      pairing,
      direction: "loopback",
      outcome: i === 1 && j === 3 ? "FAIL" : "ok",
      reasons: [],
      milliseconds: times[i]?.[j],
    }))
  );
  assert.deepEqual(interopTimes(cases, cells).split("\n"), [
    "                       loopback",
    "time of a case, in ms  ours/ours  C/C  ratio",
    "a/b/case-0             30         20   1.50",
    "a/b/case-1",
    "all of these           30         20   1.50",
    "",
  ]);
  assert.equal(interopTimes(cases, []), "");
  const jobs = (milliseconds?: number) =>
    interopTimes(cases, cells, [
      { direction: "loopback", how: "by agents", milliseconds: 30 },
      { direction: "loopback", how: "--jobs 4", milliseconds },
    ]).split("\n").slice(-3, -1);
  assert.deepEqual(jobs(10), [
    "all of these, by agents  30         20   1.50",
    "all of these, --jobs 4   10         20   0.50",
  ]);
  assert.equal(jobs().at(-1), "all of these, --jobs 4", "not all passed");
});
