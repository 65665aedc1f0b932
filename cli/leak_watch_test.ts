import assert from "node:assert/strict";
import type { SideReport, SideState } from "../core/outcome.ts";
import type { SideOrder } from "../peer/agent.ts";
import { type Gauge, LeakWatch, type LeakWatchOptions } from "./leak_watch.ts";

const ORDER = { role: "client" } as SideOrder;
const report = (state: SideState): SideReport => ({
  state,
  reasons: [],
  step: "",
  milliseconds: 1,
});

/** A kernel with one gauge, of which a test sets the count. */
class Kernel implements Gauge {
  readonly what = "things";
  readonly slack = 2;
  /** What is read, one after the other; the last one again and again. */
  counts = [10];

  readonly read = () => this.counts.length > 1 ? this.counts.shift() : this.counts[0];

  open(options: Partial<LeakWatchOptions> = {}): Promise<LeakWatch> {
    return LeakWatch.open({ gauges: [this], grace: 30, ...options });
  }
}

/** A runner that ends so, and sets the counts that the kernel tells from then on. */
function leaving(kernel: Kernel, counts: number[], state: SideState = "pass") {
  return () => {
    kernel.counts = counts;
    return Promise.resolve(report(state));
  };
}

const LEAK = [["leak: 3 more things than before, 0.03 s after the case"]];

Deno.test("LeakWatch.around() adds to a report what stays, once", async () => {
  const kernel = new Kernel();
  const watch = await kernel.open();
  assert.deepEqual((await watch.around(leaving(kernel, [13]))(ORDER)).splats, LEAK);
  assert.deepEqual(await watch.around(leaving(kernel, [15]))(ORDER), report("pass"));
  assert.deepEqual((await watch.around(leaving(kernel, [16]))(ORDER)).splats, LEAK);
});

Deno.test("LeakWatch.around() names thirty of what stays, and says how many more there are", async () => {
  const kernel = new Kernel();
  const list = () => Promise.resolve(Array.from({ length: 5000 }, (_, i) => `thing ${i}`));
  const watch = await LeakWatch.open({ gauges: [{ ...kernel, list }], grace: 30 });
  const { splats: [leak = []] = [] } = await watch.around(leaving(kernel, [5010]))(ORDER);
  assert.equal(leak[0], "leak: 5000 more things than before, 0.03 s after the case");
  assert.deepEqual([leak[1], leak[30]], ["thing 0", "thing 29"]);
  assert.deepEqual(leak.slice(31), ["and 4970 more"]);
});

Deno.test("LeakWatch.around() waits for what is let go of, and measures from the fewest", async () => {
  const kernel = new Kernel();
  // Long enough for a few reads, even where this machine stands still in between.
  const watch = await kernel.open({ grace: 2000 });
  assert.deepEqual(await watch.around(leaving(kernel, [40, 20, 4]))(ORDER), report("pass"));
  assert.deepEqual((await watch.around(leaving(kernel, [7]))(ORDER)).splats, [
    ["leak: 3 more things than before, 2 s after the case"],
  ]);
});

for (const state of ["fail", "stopped"] as const) {
  Deno.test(`LeakWatch.around() reports ${state} at once, and its leak before the next`, async () => {
    const kernel = new Kernel();
    const watch = await kernel.open();
    assert.deepEqual(await watch.around(leaving(kernel, [13], state))(ORDER), report(state));
    assert.deepEqual((await watch.around(leaving(kernel, [13]))(ORDER)).splats, [
      ["(before this case) leak: 3 more things than before, 0.03 s after the case"],
    ]);
  });
}

Deno.test("LeakWatch.around() looks at nothing beside other sides, and then before the next", async () => {
  const kernel = new Kernel();
  const watch = await kernel.open();
  const beside = { ...ORDER, beside: true } as const;
  for (const counts of [[13], [15]]) {
    assert.deepEqual(await watch.around(leaving(kernel, counts))(beside), report("pass"));
  }
  assert.deepEqual((await watch.around(leaving(kernel, [15]))(ORDER)).splats, [
    ["(before this case) leak: 5 more things than before, 0.03 s after the case"],
  ]);
});

Deno.test("LeakWatch.around() asks kmemleak; on a shared kernel the server's side does", async () => {
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
  const { splats } = await alone.around(() => Promise.resolve(report("pass")))(ORDER);
  assert.deepEqual(splats, [["unreferenced object 0x1 (size 8):", "backtrace"]]);
  assert.deepEqual(scans, ["prepare", "scan"]);
  const shared = await LeakWatch.open({ gauges: [], kmemleak, shared: true });
  const runSide = shared.around(() => Promise.resolve(report("pass")));
  assert.equal((await runSide(ORDER)).splats, undefined);
  assert.equal((await runSide({ ...ORDER, role: "server" })).splats?.length, 1);
});

Deno.test("LeakWatch waits once for a kernel that no longer tells, and goes on when it does", async () => {
  let count: number | undefined = 10;
  let reads = 0;
  const gauge: Gauge = { what: "things", read: () => (reads++, count), slack: 2 };
  const watch = await LeakWatch.open({ gauges: [gauge], grace: 30 });
  const readsOf = async (next: number | undefined) => {
    reads = 0;
    count = next;
    return [(await watch.around(() => Promise.resolve(report("pass")))(ORDER)).splats, reads];
  };
  const [, first = 0] = await readsOf(undefined);
  assert.ok(Number(first) > 1, `${first} reads`);
  assert.deepEqual(await readsOf(undefined), [undefined, 1]);
  const [splats] = await readsOf(13);
  assert.deepEqual(splats, LEAK);
  assert.deepEqual(await readsOf(13), [undefined, 1]);
});

Deno.test("LeakWatch leaves out what cannot be read, and says what it watches", async () => {
  const unknown: Gauge = { what: "secrets", read: () => undefined, slack: 0 };
  assert.equal((await LeakWatch.open({ gauges: [unknown] })).facts, undefined);
  const { facts } = await LeakWatch.open({ gauges: [unknown, new Kernel()], grace: 100 });
  assert.deepEqual(facts, { watched: ["things"], milliseconds: 200 });
  assert.equal((await LeakWatch.none()).facts, undefined);
});
