import assert from "node:assert/strict";
import type { SideReport } from "../core/outcome.ts";
import type { SideOrder } from "./session.ts";
import { KernelWatch } from "./kernel_log_watch.ts";

const PASS: SideReport = { state: "pass", reasons: [], step: "", milliseconds: 1 };
const ORDER = {} as SideOrder;

/** Calls `body` with the path of a log, and what appends the kernel's lines to it. */
async function withLog(body: (path: string, log: (text: string) => void) => Promise<void>) {
  const path = await Deno.makeTempFile();
  let records = 0;
  const log = (text: string) =>
    Deno.writeTextFileSync(path, `4,${++records},1,-;${text}\n`, { append: true });
  try {
    log("BUG: before it was opened");
    await body(path, log);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("KernelWatch.around() adds to a report what the kernel reported meanwhile", () =>
  withLog(async (path, log) => {
    using watch = KernelWatch.open({ path, taint: () => 0 });
    const runSide = watch.around(() => {
      log("BUG: KASAN: slab-use-after-free in x");
      log("Read of size 4");
      return Promise.resolve(PASS);
    });
    const { splats } = await runSide(ORDER);
    assert.deepEqual(splats, [["BUG: KASAN: slab-use-after-free in x", "Read of size 4"]]);
  }));

Deno.test("KernelWatch.around() keeps apart what came between two cases, and leaves others alone", () =>
  withLog(async (path, log) => {
    using watch = KernelWatch.open({ path, taint: () => 0 });
    const runSide = watch.around(() => Promise.resolve(PASS));
    assert.deepEqual(await runSide(ORDER), PASS);
    log("BUG: late");
    const { splats, earlier, harm } = await runSide(ORDER);
    assert.deepEqual([splats, earlier], [undefined, [["BUG: late"]]]);
    assert.deepEqual(harm, { taint: 0, effects: ["has logged: BUG: late"], lasting: true });
    watch.begin();
    assert.deepEqual(await runSide(ORDER), PASS);
  }));

Deno.test("KernelWatch.open() takes what the log held before for no case's", () =>
  withLog(async (path, log) => {
    using watch = KernelWatch.open({ path, taint: () => 0 });
    assert.deepEqual(watch.seen, [["BUG: before it was opened"]]);
    assert.equal(watch.harm, undefined);
    assert.deepEqual(await watch.around(() => Promise.resolve(PASS))(ORDER), PASS);
    for (let i = 0; i < 20; i++) {
      log(`BUG: ${i}`);
      watch.look();
    }
    assert.equal(watch.seen.length, 8);
  }));

Deno.test("KernelWatch says what has become of the kernel since the run began", () =>
  withLog(async (path, log) => {
    let taint: number | undefined = 2 ** 12;
    const end = "---[ end trace 0000000000000000 ]---";
    using watch = KernelWatch.open({ path, taint: () => taint });
    const harmAfter = async (change: () => void) => {
      const runSide = watch.around(() => Promise.resolve(change()).then(() => PASS));
      return (await runSide(ORDER)).harm;
    };
    assert.equal(await harmAfter(() => {}), undefined);
    const warned = await harmAfter(() => {
      taint = 2 ** 12 + 2 ** 9;
      log("WARNING: CPU: 1 PID: 1 at x.c:1");
      log(end);
    });
    assert.deepEqual([warned?.taint, warned?.lasting], [2 ** 9, undefined]);
    const locked = await harmAfter(() => {
      log("WARNING: possible circular locking dependency detected");
      log(end);
    });
    assert.match(locked?.effects.join() ?? "", /^tainted: W .*,lockdep has reported/);
    const hung = await harmAfter(() => log("INFO: task x:1 blocked for more than 120 seconds."));
    assert.equal(hung?.lasting, true);
    // It stays so, and for a process that goes on from here.
    assert.deepEqual(await harmAfter(() => {}), hung);
    using next = KernelWatch.open({ path, taint: () => taint, record: watch.record });
    assert.deepEqual([next.harm, next.seen], [hung, []]);
    taint = undefined;
    watch.begin();
    assert.equal(watch.harm, undefined);
  }));

Deno.test("KernelWatch.around() takes a taint for a fault that no line of the log tells of", async () => {
  let taint = 2 ** 9;
  using watch = KernelWatch.open({ path: "/nonexistent/kmsg", taint: () => taint });
  const splatsAfter = async (bits: number) => {
    const runSide = watch.around(() => {
      taint += bits;
      return Promise.resolve(PASS);
    });
    return (await runSide(ORDER)).splats;
  };
  assert.equal(await splatsAfter(2 ** 12), undefined, "a module of somebody's is none");
  const [splat, ...others] = await splatsAfter(2 ** 7) ?? [];
  assert.match(splat?.[0] ?? "", /^it is tainted now: D \(/);
  assert.deepEqual(others, []);
  assert.equal(await splatsAfter(0), undefined);
});

Deno.test("KernelWatch.around() says when a case begins what a later process must know", () =>
  withLog(async (path) => {
    using watch = KernelWatch.open({ path, taint: () => 512 });
    const records: unknown[] = [];
    await watch.around(() => Promise.resolve(PASS), () => records.push(watch.record))(ORDER);
    assert.deepEqual(records, [{ taint: 512, tainted: 512, log: 1 }]);
  }));

Deno.test("KernelWatch.around() gives what came while several sides ran to each of them", () =>
  withLog(async (path, log) => {
    using watch = KernelWatch.open({ path, taint: () => 0 });
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const run = (i: 0 | 1) => watch.around(() => gates[i].promise.then(() => PASS))(ORDER);
    const first = run(0);
    log("BUG: of the first");
    const second = run(1);
    log("BUG: of both");
    gates[0].resolve();
    assert.deepEqual((await first).splats, [["BUG: of the first"], ["BUG: of both"]]);
    log("BUG: of the second");
    gates[1].resolve();
    assert.deepEqual((await second).splats, [["BUG: of both"], ["BUG: of the second"]]);
    assert.deepEqual(watch.look(), []);
  }));

Deno.test("KernelWatch.around() keeps what was left behind beside what the log says, as it fits", () =>
  withLog(async (path, log) => {
    using watch = KernelWatch.open({ path, taint: () => 0 });
    const leak = (i: number) => [`leak ${i}`];
    const bug = (i: number) => [`BUG: ${i}`];
    const upTo = (count: number, make: (i: number) => string[]) =>
      Array.from({ length: count }, (_, i) => make(i));
    const splatsOf = async (bugs: number, leaks: number) => {
      const runSide = watch.around(() => {
        // Without its end, one splat would go on in the next.
        for (const line of upTo(bugs, bug).flat()) {
          log(line);
          log("---[ end trace 0000000000000000 ]---");
        }
        return Promise.resolve({ ...PASS, splats: upTo(leaks, leak) });
      });
      const { splats = [] } = await runSide(ORDER);
      return splats.map(([first]) => [first]);
    };
    assert.deepEqual(await splatsOf(1, 1), [bug(0), leak(0)]);
    assert.deepEqual(await splatsOf(9, 1), [...upTo(7, bug), leak(0)]);
    assert.deepEqual(await splatsOf(1, 9), [bug(0), ...upTo(7, leak)]);
    assert.deepEqual(await splatsOf(9, 9), [...upTo(4, bug), ...upTo(4, leak)]);
  }));

Deno.test("KernelWatch.open() says why a log is not watched, and KernelWatch.none() does not", () => {
  using watch = KernelWatch.open({ path: "/nonexistent/kmsg" });
  assert.match(watch.unwatched ?? "", /^open\(\/nonexistent\/kmsg\): ENOENT/);
  assert.deepEqual(watch.look(), []);
  using none = KernelWatch.none();
  assert.equal(none.unwatched, undefined);
});
