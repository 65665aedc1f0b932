import assert from "node:assert/strict";
import { TimedSysError } from "../sys/descriptor.ts";
import { timedSleep } from "../sys/libc.ts";
import { Check } from "./check.ts";
import { failsAfter } from "./timed.ts";

const EAGAIN = -11;
/** What is asked for, in milliseconds. */
const TIME = 200;

/** A call that takes so long and says that it took `told` milliseconds. */
async function ends(told: number): Promise<never> {
  await timedSleep(Math.min(told, TIME));
  const nanoseconds = BigInt(told * 1_000_000);
  throw new TimedSysError("accept4(3)", { result: EAGAIN, nanoseconds, interrupted: false });
}

/** What failsAfter() finds of calls that take so long each, one after the other. */
async function found(...told: number[]): Promise<readonly string[]> {
  const check = new Check(5000);
  await failsAfter(check, "EAGAIN", TIME, "accept()", () => ends(told.shift() ?? TIME));
  return check.mismatches;
}

Deno.test("failsAfter() is content with a call that ends in its time", async () => {
  assert.deepEqual(await found(TIME), []);
  assert.deepEqual(await found(TIME - 99), []);
});

Deno.test("failsAfter() tells of a call that ends too early, each time", async () => {
  assert.deepEqual(await found(20, 20, 20), ["accept(): ended 180 ms too early, 3 times"]);
});

Deno.test("failsAfter() forgives calls out of time twice, as a busy machine makes them", async () => {
  assert.deepEqual(await found(9000, 20, TIME), []);
  const [late = ""] = await found(9000, 9000, 9000);
  assert.match(late, /^accept\(\): ended 8\d{3} ms too late, 3 times$/);
});

Deno.test("failsAfter() tells of another errno, and of success", async () => {
  const check = new Check(5000);
  await failsAfter(check, "ETIMEDOUT", TIME, "connect()", () => ends(TIME));
  await failsAfter(check, "ETIMEDOUT", TIME, "connect()", () => Promise.resolve(3));
  assert.equal(check.mismatches.length, 2);
});
