import assert from "node:assert/strict";
import { addressOf, call, callBlocking, callWide, timedSleep } from "./libc.ts";
import { O_RDONLY, PROT_READ, PROT_WRITE } from "./constants.ts";

const EBADF = 9;
const ENOENT = 2;
const EINTR = 4;
/** A time that no call is to reach, in milliseconds. */
const NEVER = 120_000;

const path = (text: string) => new TextEncoder().encode(`${text}\0`);

Deno.test("call() returns what the function returned", () => {
  assert.equal(call("getpid"), Deno.pid);
});

Deno.test("call() returns the negated errno of a function that failed", () => {
  assert.equal(call("close", -1), -EBADF);
  assert.equal(call("open", path("/nowhere/at/all"), O_RDONLY), -ENOENT);
});

Deno.test("call() names the function that libc does not have", () => {
  assert.throws(() => call("no_such_function"), {
    name: "TypeError",
    message: /Cannot find no_such_function in libc/,
  });
});

Deno.test("callWide() returns all 64 bits", () => {
  const address = callWide("mmap", null, 4096, PROT_READ | PROT_WRITE, 0x22, -1, 0);
  assert.ok(address > 0xffff_ffffn, `an address of this process, got ${address}`);
  assert.equal(call("munmap", address, 4096), 0);
});

Deno.test("callWide() returns the negated errno, too", () => {
  const EINVAL = 22n;
  assert.equal(callWide("mmap", null, 0, PROT_READ, 0x22, -1, 0), -EINVAL);
});

Deno.test("callBlocking() returns the errno of the thread that made the call", async () => {
  const calls = Array.from(
    { length: 40 },
    (_, i) =>
      i % 2 === 0
        ? callBlocking("close", [-1])
        : callBlocking("open", [path("/nowhere/at/all"), O_RDONLY]),
  );
  const results = (await Promise.all(calls)).map(({ result }) => result);
  assert.deepEqual(results, results.map((_, i) => i % 2 === 0 ? -EBADF : -ENOENT));
});

Deno.test("callBlocking() says how long it took", async () => {
  const { result, nanoseconds, interrupted } = await callBlocking("poll", [null, 0, 300]);
  assert.deepEqual([result, interrupted], [0, false]);
  assert.ok(nanoseconds >= 299_000_000n, `poll(300 ms) took ${nanoseconds} ns`);
});

Deno.test("callBlocking() lets other work go on while it blocks", async () => {
  const pipe = new Int32Array(2);
  assert.equal(call("pipe", pipe), 0);
  const [output = -1, input = -1] = pipe;
  const reading = callBlocking("read", [output, new Uint8Array(1), 1]);
  // Nothing else ends it than what is done here after several turns of the event loop.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(call("write", input, new Uint8Array(1), 1), 1);
  assert.equal((await reading).result, 1);
  for (const fd of pipe) call("close", fd);
});

Deno.test("callBlocking() is interrupted when its signal is aborted", async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  const { result, interrupted } = await callBlocking("poll", [null, 0, NEVER], stop.signal);
  // It would be 0 after its time.
  assert.equal(result, -EINTR);
  assert.equal(interrupted, true);
});

Deno.test("callBlocking() is interrupted when its signal was aborted before", async () => {
  const { interrupted } = await callBlocking("poll", [null, 0, NEVER], AbortSignal.abort());
  assert.equal(interrupted, true);
});

Deno.test("callBlocking() that completes in spite of the signal counts as completed", async () => {
  const { result, interrupted } = await callBlocking("getpid", [], AbortSignal.abort());
  assert.equal(result, Deno.pid);
  assert.equal(interrupted, false);
});

Deno.test("callBlocking() interrupts each of many calls that share a signal", async () => {
  const stop = new AbortController();
  const calls = Array.from(
    { length: 8 },
    () => callBlocking("poll", [null, 0, NEVER], stop.signal),
  );
  setTimeout(() => stop.abort(), 50);
  const interrupted = (await Promise.all(calls)).map((completion) => completion.interrupted);
  assert.deepEqual(interrupted, calls.map(() => true));
});

Deno.test("timedSleep() takes at least the time given", async () => {
  const took = await timedSleep(50);
  assert.ok(took >= 49, `took ${took} ms`);
});

Deno.test("addressOf() gives views of one buffer addresses as far apart as their offsets", () => {
  const buffer = new ArrayBuffer(64);
  const distance = addressOf(new Uint8Array(buffer, 24)) - addressOf(new Uint8Array(buffer));
  assert.equal(distance, 24n);
  assert.equal(addressOf(new Uint8Array(new ArrayBuffer(0))), 0n);
});

Deno.test("addressOf() stays the same while its buffer is in use", () => {
  const small = new Uint8Array(8);
  const before = addressOf(small);
  const garbage = Array.from({ length: 200_000 }, (_, i) => new Uint8Array(8).fill(i));
  assert.equal(garbage.length, 200_000);
  assert.equal(addressOf(small), before);
});
