import assert from "node:assert/strict";
import { OwnClock } from "./own_time.ts";

/** How long the test's process competes with others for one processor, in milliseconds. */
const TIME = 1500;

Deno.test("OwnClock stands still while a process waits for a processor", async () => {
  const spin = "while :; do :; done";
  // Three that spin on one processor: each gets a third.
  const children = Array.from(
    { length: 3 },
    () =>
      new Deno.Command("taskset", { args: ["-c", "0", "sh", "-c", spin], stdin: "null" }).spawn(),
  );
  try {
    const [first] = children;
    const clock = new OwnClock(first?.pid ?? 0);
    const before = await clock.now();
    await new Promise((resolve) => setTimeout(resolve, TIME));
    const own = await clock.now() - before;
    assert.ok(own < TIME * 0.75, `${own} ms of ${TIME}`);
  } finally {
    children.forEach((child) => child.kill("SIGKILL"));
    await Promise.all(children.map(({ status }) => status));
  }
});

Deno.test("OwnClock goes on for a process that waits for nothing, and for one that has ended", async () => {
  const child = new Deno.Command("sleep", { args: ["60"], stdin: "null" }).spawn();
  const clock = new OwnClock(child.pid);
  const before = await clock.now();
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(await clock.now() - before > 200);
  child.kill("SIGKILL");
  await child.status;
  assert.ok(await clock.now() > before);
});
