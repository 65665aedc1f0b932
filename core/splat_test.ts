import assert from "node:assert/strict";
import { consoleLines, findSplats, splatEffect } from "./splat.ts";

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
  "timer-lost.log": [/^rcu: INFO: rcu_preempt detected stalls/], // see lab/vm/stall_watch.ts
  "rcu-stall.log": [/^rcu: INFO: rcu_preempt detected stalls/],
  "soft-lockup.log": [/^watchdog: BUG: soft lockup/],
  "hard-lockup.log": [/^watchdog: Watchdog detected hard LOCKUP on cpu 1$/],
  "hard-lockup-seen-by-other.log": [/^watchdog: CPU1: Watchdog detected hard LOCKUP on cpu 0$/],
  "workqueue.log": [/^BUG: workqueue lockup/],
  "hung-task-io.log": [/^INFO: task deno:233 blocked in I\/O wait for more than 122 seconds/],
  "hung-task-unkillable.log": [/^INFO: task deno:234 can't die for more than 143 seconds/],
  "lock-context.log": [/^\[ BUG: Invalid wait context \]$/],
  "lock-order-hardirq.log": [/^WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected$/],
  "lock-order-softirq.log": [/^WARNING: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected$/],
  "lock-key.log": [/^INFO: trying to register non-static key/],
  "slab-double-free.log": [/^BUG kmalloc-8 \(Tainted: .*\): Object already free$/],
  "slab-redzone.log": [/^BUG skbuff_small_head \(Not tainted\): Right Redzone overwritten$/],
  "double-fault.log": [/^PANIC: double fault/],
  "netdevice.log": [/^unregister_netdevice: waiting for lo to become free/],
  "reference.log": [/^ref_tracker: net notrefcnt@\w+ has 1\/1 users at$/],
  "interrupt.log": [/^irq 4: nobody cared/],
  "serror.log": [/^SError Interrupt on CPU0/],
  "bad-mode.log": [/^Bad mode in Error handler/],
  "unhandled-exception.log": [/^Unhandled 64-bit el1h sync exception/],
  "stack-overflow.log": [/^Insufficient stack space to handle exception!$/],
  "leak.log": [], // kmemleak names no case: agent/leak_watch.ts asks it itself
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

Deno.test("findSplats() finds an Oops behind a report that has no end", async () => {
  const lines = [...await recorded("lockdep.log"), ...await recorded("oops.log")];
  assert.deepEqual(findSplats(lines).map(splatEffect), ["lockdep", "lasting"]);
});

/** Those after which a kernel goes on as it did. */
const NOT_LASTING: Readonly<Record<string, string>> = {
  "warning.log": "passing",
  "warning-new-form.log": "passing",
  "refcount.log": "passing",
  "ubsan.log": "passing",
  "netdevice.log": "passing",
  "reference.log": "passing",
  "lockdep.log": "lockdep",
  "lock-context.log": "lockdep",
  "lock-order-hardirq.log": "lockdep",
  "lock-order-softirq.log": "lockdep",
  "lock-key.log": "lockdep",
};

Deno.test("splatEffect() tells what outlives the fault that each recorded console reports", async () => {
  for (const name of Object.keys(EXPECTED)) {
    for (const splat of findSplats(await recorded(name))) {
      assert.equal(splatEffect(splat), NOT_LASTING[name] ?? "lasting", name);
    }
  }
  assert.equal(splatEffect(["leak: 1 more"]), undefined);
});

/** What a console may put in front of a line, and behind it. */
const DRESSINGS: Readonly<Record<string, (line: string) => string>> = {
  "without times": (line) => line,
  "with times": (line) => `[   12.345678] ${line}`,
  "with callers": (line) => `[   12.345678][  T212] ${line}`,
  "with callers behind a space": (line) => `[   12.3] [  T212] ${line}`,
  "with callers on a processor": (line) => `[12345.678901][    C1] ${line}`,
  "with callers alone": (line) => `[    T1] ${line}`,
  "with levels": (line) => `<4>[ 12.3] ${line}`,
  "with levels and callers": (line) => `<1>[    0.000001][    T0] ${line}`,
  "with carriage returns": (line) => `[   12.345678] ${line}\r`,
  "with two carriage returns": (line) => `${line}\r\r`,
};

for (const [how, dress] of Object.entries(DRESSINGS)) {
  Deno.test(`consoleLines() takes a console ${how} for what the kernel said`, async () => {
    for (const name of Object.keys(EXPECTED)) {
      const lines = await recorded(name);
      assert.deepEqual(consoleLines(lines.map(dress).join("\n")), lines, name);
    }
  });
}

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
