import assert from "node:assert/strict";
import { LineQueue, unlessAborted } from "./lines.ts";
import { ProtocolError } from "./wire.ts";

const never = new AbortController().signal;

Deno.test("LineQueue gives lines in order, those that wait and those waited for", async () => {
  const queue = new LineQueue();
  queue.push("one");
  queue.push("two");
  assert.equal(await queue.read(never), "one");
  assert.equal(await queue.read(never), "two");
  const reading = queue.read(never);
  queue.push("three");
  queue.push("four");
  assert.equal(await reading, "three");
  assert.equal(await queue.read(never), "four");
});

Deno.test("LineQueue.read() rejects with the signal's reason, and loses no line by it", async () => {
  const queue = new LineQueue();
  const stop = new AbortController();
  const reading = queue.read(stop.signal);
  stop.abort(new Error("the deadline"));
  await assert.rejects(reading, { message: "the deadline" });
  await assert.rejects(queue.read(stop.signal), { message: "the deadline" });
  queue.push("kept");
  assert.equal(await queue.read(never), "kept");
});

Deno.test("LineQueue bounds the lines that nobody reads", () => {
  const queue = new LineQueue();
  assert.throws(() => {
    for (let i = 0; i < 1_000_000; i++) queue.push("flood");
  }, (error) => {
    assert.ok(error instanceof ProtocolError);
    assert.match(error.message, /more than 4096 lines that no case reads/);
    return true;
  });
});

Deno.test("LineQueue bounds the memory of the lines that nobody reads", async () => {
  const queue = new LineQueue();
  let held = 0;
  assert.throws(() => {
    for (let i = 0; i < 1000; i++, held += 50_000) queue.push("x".repeat(50_000));
  }, { name: "ProtocolError", message: /more than 1 MB of lines that no case reads/ });
  assert.ok(held <= 1024 * 1024, `it held ${held} characters`);
  // What is read makes room again.
  for (let i = 0; i < 100; i++) {
    await queue.read(never);
    queue.push("x".repeat(50_000));
  }
});

Deno.test("unlessAborted() settles as its promise does, where nothing is aborted", async () => {
  assert.equal(await unlessAborted(Promise.resolve(1), never), 1);
  await assert.rejects(unlessAborted(Promise.reject(new Error("x")), never), { message: "x" });
});

Deno.test("unlessAborted() takes the rejection that comes after the abort", async () => {
  for (const abortFirst of [true, false]) {
    const stop = new AbortController();
    const late = Promise.withResolvers<never>();
    if (abortFirst) stop.abort(new Error("stop"));
    const waiting = unlessAborted(late.promise, stop.signal);
    stop.abort(new Error("stop"));
    await assert.rejects(waiting, { message: "stop" });
    // Unhandled, this would fail the test.
    late.reject(new Error("late"));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});
