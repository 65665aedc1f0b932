import assert from "node:assert/strict";
import { consoleLines, findSplats } from "./splat.ts";

const FOLDER = new URL("../fixtures/consoles/", import.meta.url);

/** The first lines of the splats in each recorded console. */
const EXPECTED: Readonly<Record<string, readonly RegExp[]>> = {
  "oops.log": [/^BUG: unable to handle page fault for address/],
  "panic.log": [/^Kernel panic - not syncing: sysrq triggered crash$/],
  "warning.log": [/^WARNING: CPU: 1 PID: 212 at net\/vmw_vsock/],
  "warning-new-form.log": [/^WARNING: net\/core\/stream\.c:217 at /],
  "lockdep.log": [/^WARNING: possible circular locking dependency detected$/],
  "kasan.log": [/^BUG: KASAN: slab-use-after-free in __vsock_bind/],
  "general-protection.log": [/^Oops: general protection fault/],
  "general-protection-6.1.log": [/^general protection fault, probably/],
  "refcount.log": [/^refcount_t: addition on 0; use-after-free/],
  "hung-task.log": [/^INFO: task deno:201 blocked for more than 120 seconds/],
  "ubsan.log": [/^UBSAN: array-index-out-of-bounds/],
  "timer-lost.log": [/^rcu: INFO: rcu_preempt detected stalls/], // see lab/processors.ts
  "rcu-stall.log": [/^rcu: INFO: rcu_preempt detected stalls/],
  "soft-lockup.log": [/^watchdog: BUG: soft lockup/],
  "leak.log": [], // kmemleak names no case: cli/leak_watch.ts asks it itself
  "kmemleak.log": [],
  "none.log": [],
};

async function recorded(name: string): Promise<string[]> {
  return consoleLines(await Deno.readTextFile(new URL(name, FOLDER)));
}

Deno.test("findSplats() finds what each recorded console reports, once", async (t) => {
  const files = (await Array.fromAsync(Deno.readDir(FOLDER)))
    .map(({ name }) => name).filter((name) => name.endsWith(".log")).sort();
  assert.deepEqual(files, Object.keys(EXPECTED).sort());
  for (const [name, firsts] of Object.entries(EXPECTED)) {
    await t.step(name, async () => {
      const splats = findSplats(await recorded(name));
      assert.equal(splats.length, firsts.length, JSON.stringify(splats));
      firsts.forEach((first, i) => assert.match(splats[i]?.[0] ?? "", first));
    });
  }
});

Deno.test("findSplats() finds one splat behind another, and quotes each to its end", async () => {
  const lines = [...await recorded("warning.log"), "x", ...await recorded("ubsan.log")];
  const [first, second, ...others] = findSplats(lines);
  assert.deepEqual(others, []);
  assert.equal(first?.at(-1), "---[ end trace 0000000000000000 ]---");
  assert.match(second?.[0] ?? "", /^UBSAN/);
  assert.ok(!first?.some((line) => line.includes("something else")));
});

Deno.test("findSplats() quotes thirty lines of 200 characters at most", () => {
  const [splat] = findSplats(["BUG: long", ...Array<string>(500).fill("y".repeat(1000))]);
  assert.equal(splat?.length, 30);
  assert.ok(splat?.every((line) => line.length <= 200));
});

Deno.test("consoleLines() takes times and line ends away", () => {
  const text = "[    1.000000] a\r\n[   12.345678][  T123] b\r\r\nagent: c\n";
  assert.deepEqual(consoleLines(text), ["a", "b", "agent: c", ""]);
});
