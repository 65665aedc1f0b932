import assert from "node:assert/strict";
import type { Held } from "../core/leak_check.ts";
import { type Gauge, LeakWatch, type LeakWatchOptions } from "./leak_watch.ts";

/** A kernel with one gauge and one kind of memory, of which a test sets the counts. */
class Kernel {
  /** What is read, one after the other; the last one again and again. */
  counts: (number | undefined)[] = [10];
  reads = 0;
  readonly gauge: Gauge = {
    what: "things",
    read: () => {
      this.reads++;
      return next(this.counts);
    },
  };

  open(options: Partial<LeakWatchOptions> = {}): Promise<LeakWatch> {
    return LeakWatch.open({ gauges: [this.gauge], grace: 30, ...options });
  }
}

/** Memory of one kind, of which a test sets the counts that are read one after the other. */
class Memory {
  readonly watched = ["bytes"];
  counts = [5];
  slack = 0;
  reads = 0;

  read(): Held[] {
    this.reads++;
    return [{ what: "bytes", count: next(this.counts) ?? 0, slack: this.slack }];
  }
}

function next<T>(counts: T[]): T | undefined {
  return counts.length > 1 ? counts.shift() : counts[0];
}

const LEAK = [["leak: 3 more things than before, 0.03 s after the case"]];

Deno.test("LeakWatch.look() tells of what stays, once", async () => {
  const kernel = new Kernel();
  const watch = await kernel.open();
  kernel.counts = [13];
  assert.deepEqual(await watch.look("client"), { splats: LEAK });
  assert.deepEqual(await watch.look("client"), {});
  kernel.counts = [16];
  assert.deepEqual(await watch.look("client"), { splats: LEAK });
});

Deno.test("LeakWatch.look() names thirty of what stays, and says how many more there are", async () => {
  const kernel = new Kernel();
  const list = () => Promise.resolve(Array.from({ length: 5000 }, (_, i) => `thing ${i}`));
  const watch = await LeakWatch.open({ gauges: [{ ...kernel.gauge, list }], grace: 30 });
  kernel.counts = [5010];
  const { splats: [leak = []] = [] } = await watch.look("client");
  assert.equal(leak[0], "leak: 5000 more things than before, 0.03 s after the case");
  assert.deepEqual([leak[1], leak[30]], ["thing 0", "thing 29"]);
  assert.deepEqual(leak.slice(31), ["and 4970 more"]);
});

Deno.test("LeakWatch.look() waits for what is let go of, and measures from the fewest", async () => {
  const kernel = new Kernel();
  // Long enough for a few reads, even where this machine stands still in between.
  const watch = await kernel.open({ grace: 2000 });
  kernel.counts = [40, 20, 4];
  assert.deepEqual(await watch.look("client"), {});
  kernel.counts = [7];
  assert.deepEqual((await watch.look("client")).splats, [
    ["leak: 3 more things than before, 2 s after the case"],
  ]);
});

Deno.test("LeakWatch.look() says what is held when that stands still, and waits for no leak", async () => {
  const memory = new Memory();
  const watch = await LeakWatch.open({ gauges: [], memory });
  const look = async (...counts: number[]) => {
    memory.counts = counts;
    memory.reads = 0;
    const { held, splats } = await watch.look("client");
    assert.equal(splats, undefined);
    return held?.map(({ count }) => count);
  };
  assert.deepEqual(await look(40, 7, 5), [5], "what is under way at first is not taken for much");
  assert.equal(memory.reads, 4);
  assert.deepEqual(await look(5), [5]);
  assert.equal(memory.reads, 1, "nothing has changed");
  assert.deepEqual(await look(33, 5), [5], "a processor took some at that moment");
  assert.deepEqual(await look(4), [4]);
  assert.equal(memory.reads, 2, "fewer is looked at twice");
  const started = performance.now();
  assert.deepEqual(await look(6), [6]);
  assert.ok(performance.now() - started >= 250, "more is given the time to go");
  assert.deepEqual(await look(6), [6]);
  assert.equal(memory.reads, 1);
});

Deno.test("LeakWatch.look() takes what comes and goes by itself as it is", async () => {
  const memory = new Memory();
  memory.slack = 4;
  const watch = await LeakWatch.open({ gauges: [], memory });
  memory.counts = [5, 7, 9, 11, 13];
  assert.deepEqual((await watch.look("client")).held, [{ what: "bytes", count: 7, slack: 4 }]);
  assert.deepEqual((await watch.look("client")).held, [{ what: "bytes", count: 9, slack: 4 }]);
});

Deno.test("LeakWatch.look() asks kmemleak; on a shared kernel the server's side looks", async () => {
  const scans: string[] = [];
  const kmemleak = {
    prepare: () => void scans.push("prepare"),
    scan: () => {
      scans.push("scan");
      return [["unreferenced object 0x1 (size 8):", "backtrace"]];
    },
    minAge: 5,
  };
  const alone = await LeakWatch.open({ gauges: [], kmemleak });
  const { splats } = await alone.look("client");
  assert.deepEqual(splats, [["unreferenced object 0x1 (size 8):", "backtrace"]]);
  assert.deepEqual(scans, ["prepare", "scan"]);
  const memory = new Memory();
  const shared = await LeakWatch.open({ gauges: [], memory, kmemleak, shared: true });
  assert.deepEqual(await shared.look("client"), {});
  assert.equal(memory.reads, 0);
  assert.equal((await shared.look("server")).splats?.length, 1);
});

Deno.test("LeakWatch.look() tells what kmemleak sees late from what came since the last look", async () => {
  const leak = (jiffies: number) => ["unreferenced object", `comm "x", pid 1, jiffies ${jiffies}`];
  let found = [leak(10)];
  let now: number | undefined = 50;
  const kmemleak = { prepare: () => {}, scan: () => found, minAge: 0 };
  const watch = await LeakWatch.open({ gauges: [], kmemleak, clock: () => now });
  assert.deepEqual(await watch.look("client"), { splats: [leak(10)] });
  found = [leak(49), leak(50), ["and 3 more leaks"]];
  now = undefined;
  assert.deepEqual(await watch.look("client"), {
    splats: [leak(50), ["and 3 more leaks"]],
    earlier: [leak(49)],
  });
  found = [leak(49)];
  assert.deepEqual(await watch.look("client"), { splats: [leak(49)] }, "nobody knows when it was");
});

Deno.test("LeakWatch waits once for a kernel that no longer tells, and goes on when it does", async () => {
  const kernel = new Kernel();
  const watch = await kernel.open();
  const readsOf = async (count: number | undefined) => {
    kernel.reads = 0;
    kernel.counts = [count];
    return [(await watch.look("client")).splats, kernel.reads];
  };
  const [, first = 0] = await readsOf(undefined);
  assert.ok(Number(first) > 1, `${first} reads`);
  assert.deepEqual(await readsOf(undefined), [undefined, 1]);
  const [splats] = await readsOf(13);
  assert.deepEqual(splats, LEAK);
  assert.deepEqual(await readsOf(13), [undefined, 1]);
});

Deno.test("LeakWatch leaves out what cannot be read, and says what it watches", async () => {
  const unknown: Gauge = { what: "secrets", read: () => undefined };
  assert.equal((await LeakWatch.open({ gauges: [unknown] })).facts, undefined);
  const gauges = [unknown, new Kernel().gauge];
  const { facts } = await LeakWatch.open({ gauges, memory: new Memory(), grace: 100 });
  assert.deepEqual(facts, { watched: ["things", "bytes"], milliseconds: 350 });
  assert.equal((await LeakWatch.none()).facts, undefined);
});
