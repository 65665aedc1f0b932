import assert from "node:assert/strict";
import { exampleNotStarted, exampleReport } from "../tests/support/example_run.ts";
import { mergeReports } from "./merge.ts";
import type { RunReport } from "./model.ts";
import { renderReport } from "./render.ts";
import { parseReport } from "./schema.ts";

const WHOLE = exampleReport();

/** A shard of the example: every so-manieth of its cases. */
function shard(index: number, count: number, of: RunReport = WHOLE): RunReport {
  const cases = of.cases.filter((_, i) => i % count === index - 1);
  return { ...of, cases, shard: { index, count } };
}

function namesOf({ cases }: RunReport): string[] {
  return cases.map(({ id, direction }) => `${direction} ${id}`).sort();
}

Deno.test("mergeReports() has every case of every shard, and reads as a report", () => {
  const merged = mergeReports([shard(2, 3), shard(1, 3), shard(3, 3)], ["report", "merge"]);
  assert.deepEqual(namesOf(merged), namesOf(WHOLE));
  assert.equal(merged.milliseconds, 3 * WHOLE.milliseconds);
  assert.equal(merged.stopped, undefined);
  assert.equal(merged.shard, undefined);
  const read = parseReport(renderReport("json", merged), "merged");
  assert.deepEqual(namesOf(read), namesOf(WHOLE));
  assert.deepEqual(parseReport(renderReport("json", shard(2, 3)), "one").shard, {
    index: 2,
    count: 3,
  });
});

Deno.test("mergeReports() says which shards are missing, and which did not finish", () => {
  const missing = mergeReports([shard(1, 4), shard(3, 4)], []);
  assert.equal(missing.stopped?.reason, "there is no shard 2, 4 of 4");
  const notStarted = { ...exampleNotStarted("no VM"), cases: [], shard: { index: 2, count: 2 } };
  const lost = mergeReports([shard(1, 2), notStarted], []);
  assert.equal(lost.stopped?.reason, "shard 2 of 2: no VM");
  assert.deepEqual(lost.ends, WHOLE.ends);
  const cut = { ...shard(1, 1), stopped: { reason: "interrupted" } };
  assert.equal(mergeReports([cut], []).stopped?.reason, "shard 1 of 1: interrupted");
});

Deno.test("mergeReports() refuses what is no part of one run", () => {
  const refused = (others: readonly RunReport[], said: RegExp) =>
    assert.throws(() => mergeReports([shard(1, 2), ...others], []), said);
  refused([shard(1, 2)], /Cannot merge: \S+ \(.*\) is in shard 1 of 2 and in shard 1 of 2/);
  refused([{ ...shard(2, 2), topology: "three-cids" }], /different topologies/);
  refused([{ ...shard(2, 2), tool: "0.0.0" }], /different versions of the tool/);
  refused([shard(2, 3)], /different numbers of shards: 2 and 3/);
  const ends = WHOLE.ends.map((end) => ({ ...end, kernel: "Linux 9.9" }));
  refused([{ ...shard(2, 2), ends }], /different kernels: .* and Linux 9\.9/);
  assert.throws(() => mergeReports([], []), /nothing to merge/);
});

Deno.test("runs of two directions merge without shards", () => {
  const of = (wanted: string): RunReport => ({
    ...WHOLE,
    cases: WHOLE.cases.filter(({ direction }) => direction === wanted),
  });
  const merged = mergeReports([of("host-server"), of("guest-server")], []);
  assert.deepEqual(namesOf(merged), namesOf(WHOLE));
  assert.equal(merged.stopped, undefined);
});
