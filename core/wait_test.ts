import assert from "node:assert/strict";
import { pause, until } from "./wait.ts";

Deno.test("until() gives what a look finds, and looks again until then", async () => {
  let looks = 0;
  const found = await until(() => ++looks === 3 && "here", { timeout: 60_000, pause: 1 });
  assert.deepEqual([found, looks], ["here", 3]);
  assert.equal(await until(() => 0, { timeout: 0, pause: 1 }), 0, "0 is something");
});

Deno.test("until() gives up after its time, having told which look is the last", async () => {
  const told: boolean[] = [];
  const started = performance.now();
  const look = (isLast: boolean) => void told.push(isLast);
  assert.equal(await until(look, { timeout: 50, pause: 5 }), undefined);
  assert.ok(performance.now() - started >= 50);
  assert.ok(told.length >= 2);
  assert.deepEqual(
    told.map((isLast, i) => isLast === (i === told.length - 1)),
    told.map(() => true),
  );
});

Deno.test("until() looks once more after its deadline where this process was held up", async () => {
  let isThere = false;
  const found = await until(() => {
    if (isThere) return true;
    // What is looked for comes in time, and the thread is held until the time is over.
    isThere = true;
    for (const end = performance.now() + 60; performance.now() < end;);
    return false;
  }, { timeout: 50, pause: 1 });
  assert.equal(found, true);
});

Deno.test("until() doubles its pauses up to the longest", async () => {
  const times: number[] = [];
  await until(() => times.push(performance.now()) === 5, { pause: 8, maxPause: 16 });
  const [first = 0, second = 0, , , last = 0] = times;
  assert.ok(second - first >= 7);
  assert.ok(last - second >= 3 * 15, "16, 16 and 16 ms");
});

Deno.test("until() and pause() end at once where their signal is aborted", async () => {
  const ending = new AbortController();
  const reason = new Error("enough");
  setTimeout(() => ending.abort(reason), 20);
  const started = performance.now();
  const { signal } = ending;
  await assert.rejects(until(() => false, { pause: 60_000, signal }), reason);
  assert.ok(performance.now() - started < 30_000);
  await assert.rejects(pause(60_000, signal), reason);
});

Deno.test("until() passes on what a look throws", async () => {
  const look = () => Promise.reject(new Error("its own"));
  await assert.rejects(until(look, { timeout: 60_000, pause: 1 }), /^Error: its own$/);
});
