import assert from "node:assert/strict";
import { call } from "./libc.ts";
import { onEachProcessor, processors } from "./processors.ts";

Deno.test("onEachProcessor() runs on each processor once, and gives all of them back", () => {
  const all = processors();
  assert.ok(all.length > 0);
  const seen: number[] = [];
  onEachProcessor(() => void seen.push(call("sched_getcpu")));
  assert.deepEqual(seen, all);
  assert.deepEqual(processors(), all);
  assert.throws(() =>
    onEachProcessor(() => {
      throw new Error("x");
    }), /x/);
  assert.deepEqual(processors(), all);
});
